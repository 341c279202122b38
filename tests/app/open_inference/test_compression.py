"""Compressed bodies under /v2: both ways, and never larger inside than a plain one may be."""

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

from app.codecs.compression import accepted
from tests.app.open_inference.asking import INFER, LENGTH, in_binary, in_json, infer, numbers
from tests.serving import Server

PACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
}
LARGEST = 8 * 2**20


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


@pytest.mark.parametrize("coding", [*PACK, "GZIP"])
def test_a_compressed_body_is_read(coding: str, client: httpx.Client) -> None:
    body = in_binary()
    headers = body.headers | {"content-encoding": coding}

    answer = client.post(INFER, content=PACK[coding.lower()](body.content), headers=headers)

    np.testing.assert_array_equal(numbers(answer), numbers(infer(client, body)))


@pytest.mark.parametrize("coding", UNPACK)
@pytest.mark.parametrize("binary", [False, True])
def test_an_answer_is_compressed_when_asked(
    coding: str, binary: bool, client: httpx.Client
) -> None:
    body = json.dumps(in_json(parameters={"binary_data_output": binary})).encode()
    plain = client.post(INFER, content=body, headers={"accept-encoding": "identity"})

    with client.stream("POST", INFER, content=body, headers={"accept-encoding": coding}) as answer:
        content = b"".join(answer.iter_raw())

    assert answer.headers["content-encoding"] == coding
    assert answer.headers.get(LENGTH) == plain.headers.get(LENGTH)
    assert UNPACK[coding](content) == plain.content


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("", None), ("identity", None), ("br", None), ("*", None), ("gzip", "gzip"),
        ("GZip , deflate", "gzip"), ("deflate, gzip", "deflate"), ("gzip;q=0", None),
        ("gzip;q=0.1, deflate; q=0.5", "deflate"), ("gzip;q=x", None), ("gzip;v=1", "gzip"),
    ],
)  # fmt: skip
def test_what_is_accepted_is_chosen_by_weight(asked: str, given: str | None) -> None:
    assert accepted(asked) == given


@pytest.mark.parametrize("coding", PACK)
@pytest.mark.parametrize("extra", [0, 1])
def test_a_bomb_is_refused_when_it_passes_the_limit_and_not_before(
    coding: str, extra: int, client: httpx.Client
) -> None:
    content = json.dumps(in_json()).encode().ljust(LARGEST + extra)

    answer = client.post(INFER, content=PACK[coding](content), headers={"content-encoding": coding})

    assert answer.status_code == (413 if extra else 200)


@pytest.mark.parametrize("coding", PACK)
def test_a_gigabyte_in_a_megabyte_is_never_unpacked(
    coding: str, client: httpx.Client, server: Server
) -> None:
    content = PACK[coding](bytes(2**30))

    answer = client.post(INFER, content=content, headers={"content-encoding": coding})

    assert answer.status_code == 413
    assert "when decompressed" in answer.json()["error"]
    assert client.get("/v2/health/live").status_code == 200
    assert peak_mib(server) < 512


def peak_mib(server: Server) -> float:
    """The most memory that the server ever held; 0 where the system does not tell."""
    status = Path(f"/proc/{server.process.pid}/status")
    if not status.exists():
        return 0
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024


@pytest.mark.parametrize("coding", PACK)
def test_damaged_cut_and_trailing_bodies_are_explained(coding: str, client: httpx.Client) -> None:
    whole = PACK[coding](json.dumps(in_json()).encode())
    noise = np.random.default_rng(3).bytes(100)
    bodies = [whole[:-1], whole[: len(whole) // 2], whole + b"x", whole + whole, noise, b"", b"{}"]

    for body in bodies:
        answer = client.post(INFER, content=body, headers={"content-encoding": coding})
        assert answer.status_code == 400
        assert coding in answer.json()["error"]


def test_what_http_calls_deflate_has_a_header(client: httpx.Client) -> None:
    body = raw_deflate(json.dumps(in_json()).encode())

    answer = client.post(INFER, content=body, headers={"content-encoding": "deflate"})

    assert answer.status_code == 400


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, deflate", "x", "gzip;q=1"])
def test_another_coding_is_a_415(coding: str, client: httpx.Client) -> None:
    answer = client.post(INFER, json=in_json(), headers={"content-encoding": coding})

    assert answer.status_code == 415
    assert answer.json()["error"] == "expected Content-Encoding gzip, deflate or none"
