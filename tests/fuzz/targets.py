"""What is fuzzed: bytes in, and an exception out only where there is a bug."""

import hashlib
import io
import os
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np

from app.codecs.checks import decode_check
from app.codecs.control import decode_index, decode_load
from app.codecs.inference import DERIVED, RANKED, Offer, decode_inference
from app.codecs.instances import decode_csv, decode_instances
from app.codecs.questions import decode_gradient, decode_predict, decode_trace
from app.codecs.rows import Limits
from app.errors import RequestError
from model import ArtifactError, load_artifact, load_classifier, save_artifact
from tests.model.artifacts import make_artifact

CORPUS = Path(__file__).parent / "corpus"
FEATURES = ["a", "b"]
LIMITS = Limits(rows=8, cells=64, result_numbers=1000, check_numbers=200)
OFFER = Offer(2, (*RANKED, *DERIVED), LIMITS)

CODECS: list[Callable[[bytes], object]] = [
    lambda body: decode_predict(body, FEATURES, LIMITS),
    lambda body: decode_gradient(body, LIMITS),
    lambda body: decode_trace(body, LIMITS),
    lambda body: decode_check(body, LIMITS),
    lambda body: decode_inference(body, None, OFFER),
    lambda body: decode_inference(body, str(len(body) // 2), OFFER),
    lambda body: decode_inference(body, "0", OFFER),
    lambda body: decode_instances(body, FEATURES, LIMITS),
    lambda body: decode_csv(body, LIMITS),
    decode_index,
    decode_load,
]


def codecs(data: bytes) -> None:
    """A body: the first byte says for which decoder."""
    if data:
        with suppress(RequestError):
            CODECS[data[0] % len(CODECS)](data[1:])


def loader(data: bytes) -> None:
    """A model file: the first byte says how the others make one, and whether it is used too.

    Fuzzing does not find checksums, so they are put right where they are not what is fuzzed.
    """
    if not data:
        return
    names, how, rest = list(genuine()), data[0] % 18, data[1:]
    if how == 0:
        content = rest
    elif how == 1:
        content = sealed(rest)
    else:
        name = names[how % len(names)]
        # A whole member, or what follows its header of 128 bytes; that says how long this is.
        member = rest if how < 10 else _headed(genuine()[name][:128], rest)
        content = zipped(genuine() | {name: member})

    path = _place()
    path.write_bytes(content)
    with suppress(ArtifactError):
        if data[0] < 128:
            load_artifact(path)
            return
        found = load_classifier(path)
        p = found.answer(np.zeros((1, found.features))).probabilities
        assert np.isfinite(p).all(), "a model was loaded that cannot answer"


TARGETS = {"codecs": codecs, "loader": loader}


@cache
def genuine() -> dict[str, bytes]:
    """The members of a sound file."""
    save_artifact(_place(), make_artifact(np.random.default_rng(1), shape=(2, 3, 2)))
    with zipfile.ZipFile(_place()) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: dict[str, bytes]) -> bytes:
    """These members as a genuine file has them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            archive.writestr(info, data)
    return sealed(buffer.getvalue())


def sealed(data: bytes) -> bytes:
    """Bytes that end as a zip does, given the checksum of a genuine file."""
    body = data[:-2] + (64).to_bytes(2, "little")
    return body + hashlib.sha256(body).hexdigest().encode()


def _headed(header: bytes, content: bytes) -> bytes:
    """A member whose header says that it has as many numbers as there are, in one dimension."""
    if b"'|u1'" not in header:
        return header + content
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({len(content)},), }}"
    return header[:10] + text.encode().ljust(117) + b"\n" + content


@cache
def _place() -> Path:
    """A file to load from, in memory where there is such a place."""
    memory = Path("/dev/shm")  # noqa: S108  a name of this process's own
    folder = tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None)
    return Path(folder) / "fuzzed.npz"
