import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import ArtifactError, load_artifact, save_artifact
from tests.model.artifacts import make_artifact
from tests.serving import environment

Members = dict[str, bytes]


@pytest.fixture
def path(tmp_path: Path, rng: np.random.Generator) -> Path:
    path = tmp_path / "model.npz"
    save_artifact(path, make_artifact(rng, mean=3.0, temperature=1.5))
    return path


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sealed(data: bytes) -> bytes:
    """Any zip with an empty comment, given the checksum that a genuine file would have."""
    body = data[:-2] + (64).to_bytes(2, "little")
    return body + hashlib.sha256(body).hexdigest().encode()


def rewrite(path: Path, members: Members, compression: int = zipfile.ZIP_STORED) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)  # dated 1980-01-01, as a genuine file
            info.create_system, info.compress_type = 3, compression
            archive.writestr(info, data)
    path.write_bytes(sealed(buffer.getvalue()))


def npy(array: Any) -> bytes:  # any array, also those a model must not hold
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def header(text: str, content: bytes = b"") -> bytes:
    raw = text.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(raw).to_bytes(2, "little") + raw + content


def metadata_with(path: Path, **changes: Any) -> bytes:  # any JSON
    text = members_of(path)["metadata.npy"]
    values = json.loads(np.load(io.BytesIO(text)).tobytes())
    values = {key: value for key, value in (values | changes).items() if value is not ...}
    return npy(np.frombuffer(json.dumps(values).encode(), np.uint8))


def test_what_is_loaded_is_what_was_saved(tmp_path: Path, rng: np.random.Generator) -> None:
    artifact = make_artifact(rng, activation="tanh", mean=10.0, scale=2.0, temperature=0.7)

    save_artifact(tmp_path / "m.npz", artifact)
    loaded = load_artifact(tmp_path / "m.npz")

    for name, array in artifact.parameters._asdict().items():
        np.testing.assert_array_equal(getattr(loaded.parameters, name), array)
    np.testing.assert_array_equal(loaded.input_mean, artifact.input_mean)
    np.testing.assert_array_equal(loaded.input_scale, artifact.input_scale)
    assert loaded.temperature == artifact.temperature
    assert loaded.metadata == artifact.metadata | {
        "format_version": 1,
        "sha256": loaded.metadata["sha256"],
    }


def test_plain_numpy_opens_it(path: Path) -> None:
    with np.load(path, allow_pickle=False) as archive:
        dtypes = {name: archive[name].dtype.str for name in archive.files}
        metadata = json.loads(archive["metadata"].tobytes())

    assert dtypes == {
        "W1": "<f4",
        "b1": "<f4",
        "W2": "<f4",
        "b2": "<f4",
        "input_mean": "<f8",
        "input_scale": "<f8",
        "temperature": "<f8",
        "metadata": "|u1",
    }
    assert metadata["name"] == "fixture"


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        save_artifact(tmp_path / name, make_artifact(np.random.default_rng(1)))

    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_the_comment_holds_the_checksum_of_all_bytes_before_it(path: Path) -> None:
    data = path.read_bytes()

    with zipfile.ZipFile(path) as archive:
        assert archive.comment.decode() == hashlib.sha256(data[:-64]).hexdigest()


def test_every_flipped_bit_is_refused(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    damaged = tmp_path / "damaged.npz"

    for position in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << (position % 8)
        damaged.write_bytes(flipped)
        with pytest.raises(ArtifactError, match=r"damaged\.npz: "):
            load_artifact(damaged)


def test_every_truncation_is_refused(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    short = tmp_path / "short.npz"

    for length in range(len(data)):
        short.write_bytes(data[:length])
        with pytest.raises(ArtifactError, match=r"short\.npz: "):
            load_artifact(short)


def object_array(path: Path) -> Members:
    return members_of(path) | {"W1.npy": npy(np.array([[print]], dtype=object))}


def with_member(name: str, data: bytes) -> Callable[[Path], Members]:
    return lambda path: members_of(path) | {f"{name}.npy": data}


def with_metadata(**changes: Any) -> Callable[[Path], Members]:  # any JSON
    return lambda path: members_of(path) | {"metadata.npy": metadata_with(path, **changes)}


NAN = np.full((4, 7), np.nan, np.float32)
HOSTILE: dict[str, tuple[Callable[[Path], Members], str]] = {
    "pickle": (object_array, "W1: expected dtype <f4"),
    "float64 weights": (with_member("W1", npy(np.ones((4, 7)))), "W1: expected dtype <f4"),
    "big-endian": (with_member("W1", npy(np.ones((4, 7), ">f4"))), "W1: expected dtype <f4"),
    "structured": (with_member("W1", npy(np.ones(3, "f4,f4"))), "W1: expected an npy header"),
    "Fortran order": (
        with_member("W1", npy(np.asfortranarray(np.ones((4, 7), "f4")))),
        "C order",
    ),
    "NaN": (with_member("W1", npy(NAN)), "W1 holds NaN or infinity"),
    "infinity": (with_member("temperature", npy(np.float64("inf"))), "temperature holds NaN"),
    "zero scale": (with_member("input_scale", npy(np.zeros(4))), "input_scale must be positive"),
    "temperature 0": (with_member("temperature", npy(np.float64(0))), "temperature must be pos"),
    "no chain": (with_member("b1", npy(np.ones(6, "f4"))), r"do not chain: b1 is \(6,\).*W1 \(4"),
    "zero width": (with_member("W1", npy(np.ones((4, 0), "f4"))), "2 positive dimensions"),
    "vector for matrix": (with_member("W1", npy(np.ones(4, "f4"))), "2 positive dimensions"),
    "one class": (
        lambda path: (
            members_of(path)
            | {"W2.npy": npy(np.ones((7, 1), "f4")), "b2.npy": npy(np.ones(1, "f4"))}
        ),
        "has 1 class",
    ),
    "shape 2^62": (
        with_member(
            "W1", header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({2**62}, 7), }}")
        ),
        "does not match its 0 bytes",
    ),
    "negative shape": (
        with_member("W1", header("{'descr': '<f4', 'fortran_order': False, 'shape': (-4, -7), }")),
        "npy header",
    ),
    "bool shape": (
        with_member("W1", header("{'descr': '<f4', 'fortran_order': False, 'shape': (True, 7), }")),
        "npy header",
    ),
    "extra header key": (
        with_member(
            "W1", header("{'descr': '<f4', 'fortran_order': False, 'shape': (4, 7), 'x': 1, }")
        ),
        "header",
    ),
    "header of 20 KB": (with_member("W1", header("{" + " " * 20_000 + "}")), "header"),
    "nested header": (with_member("W1", header("(" * 5000)), "header"),
    "npy version 9": (with_member("W1", b"\x93NUMPY\x09\x00\x00\x00"), "npy header"),
    "header spaced otherwise": (
        with_member(
            "b1",
            header(
                "{'descr': '<f4', 'fortran_order': False, 'shape': (7, ), }".ljust(117), bytes(28)
            ),
        ),
        "b1: expected an npy header of 128 bytes",
    ),
    "missing member": (
        lambda path: {k: v for k, v in members_of(path).items() if k != "b1.npy"},
        "exactly the members",
    ),
    "extra member": (with_member("W3", npy(np.ones(3))), "exactly the members"),
    "path in a name": (with_member("../W3", npy(np.ones(3))), "exactly the members"),
    "not JSON": (with_member("metadata", npy(np.frombuffer(b"{", np.uint8))), "not JSON"),
    "JSON list": (with_member("metadata", npy(np.frombuffer(b"[]", np.uint8))), "JSON object"),
    "newer format": (with_metadata(format_version=2), "written by a newer version"),
    "unknown requirement": (with_metadata(requires=["sparse"]), "requires what this version"),
    "NaN class": (with_metadata(classes=[float("nan"), 1, 2, 3, 4]), "not JSON"),
    "infinite class": (with_metadata(classes=[float("inf"), 1, 2, 3, 4]), "not JSON"),
    "history nested deeply": (
        lambda path: (
            members_of(path)
            | {
                "metadata.npy": npy(
                    np.frombuffer(
                        np.load(io.BytesIO(members_of(path)["metadata.npy"]))
                        .tobytes()
                        .replace(b'"history":[]', b'"history":' + b"[" * 900 + b"]" * 900),
                        np.uint8,
                    )
                )
            }
        ),
        "nested too deeply|not JSON",
    ),
    "class of 71 bits": (with_metadata(classes=[2**70, 1, 2, 3, 4]), "more than 64 bits"),
    "half a surrogate pair": (with_metadata(features=["\ud800", "b", "c", "d"]), "not JSON"),
    "metric of 81 bits": (with_metadata(metrics={"test": {"rows": 2**80}}), "more than 64 bits"),
    "metrics as a list": (with_metadata(metrics=[]), "metrics is not a JSON object"),
    "a metric as a number": (with_metadata(metrics={"test": 1}), "metrics must be numbers or null"),
    "a metric as a text": (
        with_metadata(metrics={"test": {"ece": "low"}}),
        "metrics must be numbers or null",
    ),
    "a metric as a boolean": (
        with_metadata(metrics={"test": {"good": True}}),
        "metrics must be numbers or null",
    ),
    "metrics nested deeply": (
        with_metadata(metrics={"test": {"x": json.loads("[" * 300 + "]" * 300)}}),
        "metrics must be numbers or null",
    ),
    "training as a text": (with_metadata(training="long"), "training is not a JSON object"),
    "header length of 0": (
        lambda path: (
            members_of(path)
            | {"b1.npy": (data := members_of(path)["b1.npy"])[:8] + b"\0\0" + data[10:]}
        ),
        "npy header",
    ),
    "format true": (with_metadata(format_version=True), "no format_version"),
    "lacking keys": (with_metadata(history=..., seed=...), "lacks seed, history"),
    "wrong hash": (with_metadata(sha256="0" * 64), "do not match the SHA-256"),
    "too few classes": (with_metadata(classes=[0, 1]), "expected a list of 5 classes"),
    "twin classes": (with_metadata(classes=[0, 0, 1, 2, 3]), "not all different"),
    "boolean classes": (with_metadata(classes=[True, 0, 1, 2, 3]), "classes must be str or int"),
    "too many features": (with_metadata(features=list("abcdef")), "a list of 4 features"),
    "unknown activation": (with_metadata(activation="gelu"), "none of relu, tanh"),
    "name not a text": (with_metadata(name=7), "name is not a text"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_in_one_line(case: str, path: Path) -> None:
    make, reason = HOSTILE[case]
    rewrite(path, make(path))

    with pytest.raises(ArtifactError, match=reason) as caught:
        load_artifact(path)

    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", npy(np.ones(3)), b"\x80\x04K\x01.", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)],
)
def test_something_else_is_not_a_model(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "other.npz").write_bytes(content)

    with pytest.raises(ArtifactError, match=r"expected|not saved by softlens"):
        load_artifact(tmp_path / "other.npz")


def test_a_zip_bomb_is_refused_before_it_inflates(path: Path) -> None:
    bomb = npy(np.zeros((4096, 4096), np.float32))
    rewrite(path, members_of(path) | {"W1.npy": bomb}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < len(bomb) / 500

    with pytest.raises(ArtifactError, match="compressed"):
        load_artifact(path)


def test_a_duplicate_member_is_refused(path: Path) -> None:
    members = members_of(path)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in [*members.items(), ("metadata.npz", b"")]:
            archive.writestr(name, data)
    # Renamed in the bytes, because zipfile itself warns when it writes a name twice.
    path.write_bytes(sealed(buffer.getvalue().replace(b"metadata.npz", b"metadata.npy")))

    with pytest.raises(ArtifactError, match="exactly the members"):
        load_artifact(path)


def test_what_would_be_refused_is_never_saved(path: Path, rng: np.random.Generator) -> None:
    before = path.read_bytes()
    broken = make_artifact(rng)
    broken.parameters.W1[0, 0] = np.nan

    with pytest.raises(ArtifactError, match="W1 holds NaN"):
        save_artifact(path, broken)

    assert path.read_bytes() == before


def other_dates(path: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members_of(path).items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), data)
    return buffer.getvalue()


def with_extra(path: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members_of(path).items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.extra = 3, b"\xfe\xca\x04\x00evil"
            archive.writestr(info, data)
    return buffer.getvalue()


def with_payload(path: Path) -> bytes:
    """Bytes between the last member and the directory, whose place is corrected."""
    whole, payload = path.read_bytes(), b"#!/bin/sh"
    at = whole.index(b"PK\x01\x02")
    moved = (at + len(payload)).to_bytes(4, "little")
    return whole[:at] + payload + whole[at:-70] + moved + b"\0\0"


@pytest.mark.parametrize("disguise", [other_dates, with_extra, with_payload])
def test_an_archive_that_is_packed_otherwise_is_refused(
    disguise: Callable[[Path], bytes], path: Path
) -> None:
    path.write_bytes(sealed(disguise(path)))

    with pytest.raises(ArtifactError, match="not packed as softlens does"):
        load_artifact(path)


def test_an_archive_packed_alike_by_another_program_is_the_same(path: Path) -> None:
    genuine = path.read_bytes()

    rewrite(path, members_of(path))

    assert path.read_bytes() == genuine


def test_a_missing_file_is_the_systems_own_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_artifact(tmp_path / "absent.npz")


def test_too_little_memory_is_one_line(tmp_path: Path, rng: np.random.Generator) -> None:
    big = tmp_path / "big.npz"
    save_artifact(big, make_artifact(rng, shape=(4000, 4000, 3), features=None))
    program = (
        "import pathlib, re, resource, sys\n"
        "from model import ArtifactError, load_artifact\n"
        "size = re.search(r'VmSize:\\s+(\\d+)', pathlib.Path('/proc/self/status').read_text())\n"
        "limit = int(size[1]) * 1024 + 40_000_000\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "try:\n    load_artifact(pathlib.Path(sys.argv[1]))\n"
        "except ArtifactError as error:\n    print(error)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(big)],
        capture_output=True, text=True, check=True, timeout=60, env=environment(),
    )  # fmt: skip

    assert done.stdout == f"{big}: needs more memory than there is\n"
