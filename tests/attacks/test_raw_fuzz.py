"""Mutated bytes on the wire: an answer that is promised, or an end; never a crash or a hang."""

import random
import re
import select
import socket
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.long import times
from tests.serving import DEADLINE, Server

PATIENCE = 0.003  # seconds for an answer; nothing is wrong with one that comes too late
PROMISED = {200, 400, 404, 405, 408, 411, 413, 414, 415, 417, 422, 431, 501, 503, 505}
BODY = b'{"inputs": [1, 2, 3, 4]}'
REQUESTS = [
    b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 24\r\n\r\n" + BODY,
    b"POST /gradient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n10\r\n{\"logits\": [1, 2\r\n2\r\n]}\r\n0\r\n\r\n",
    b"GET /models HTTP/1.1\r\nHost: localhost\r\n"
    b"Accept-Encoding: gzip\r\nConnection: keep-alive\r\n\r\n",
    b"HEAD /livez HTTP/1.0\r\n\r\n",
    b"POST /v2/models/fixture/infer HTTP/1.1\r\nHost: localhost\r\n"
    b"Inference-Header-Content-Length: 0\r\n"
    b"Content-Length: 16\r\nExpect: 100-continue\r\n\r\n" + bytes(16),
    b"POST /invocations HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: text/csv\r\nContent-Length: 8\r\n\r\n"
    b"1,2,3,4\n",
    b"GET /gradient/probe?level=loss&seed=1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: upgrade\r\n\r\n",
]  # fmt: skip
PIECES = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b":", b"\0", b"\xff", b"\x80", b"%", b"%00",
    b"/", b"//", b"?", b"#", b"*", b"..", b"HTTP/1.1", b"HTTP/9.9", b"HTTP/2.0", b"Host: b\r\n",
    b"Content-Length: 0\r\n", b"Content-Length: 5\r\n", b"Content-Length: -1\r\n",
    b"Content-Length: +3\r\n", b"Content-Length: x\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 99999999999999999999\r\n", b"Transfer-Encoding: gzip\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n", b"Connection: close\r\n", b"Expect: x\r\n",
    b"Upgrade: h2c\r\n", b"X: " + b"y" * 3000 + b"\r\n", b"X:\r\n y\r\n", b" X: y\r\n",
    b"x" * 1000, b"0\r\n\r\n", b"ffffffff\r\n", b"-1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\n", b"CONNECT a:1 HTTP/1.1\r\n", b"\x1b[2J",
]  # fmt: skip


class Seen(NamedTuple):
    """What came back on one connection."""

    sent: bytes
    received: bytes
    ended: bool  # by the server, or the answers were there to the end


def mutated(rng: random.Random) -> bytes:
    """One or two requests with some bytes replaced, inserted, repeated or cut off."""
    data = b"".join(rng.choices(REQUESTS, k=rng.choice([1, 1, 2])))
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        # Most of what can go wrong is in the first line and the headers.
        at = rng.randint(0, min(len(data), rng.choice([40, 120, len(data)])))
        end = at + rng.choice([0, 0, 1, 2, 8])
        piece = rng.choice([*PIECES, bytes([rng.randrange(256)]), data[at : at + 20]])
        data = data[:at] + piece + data[end:]
    return data[: rng.randint(1, len(data))] if rng.random() < 0.1 else data


def exchanged(address: tuple[str, int], data: bytes) -> Seen:
    """Send it all, wait a little, say that there is no more, and read to the end."""
    received = b""
    with socket.create_connection(address, timeout=DEADLINE) as connection:
        try:
            connection.sendall(data)
            select.select([connection], [], [], PATIENCE)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                received += part
        except (ConnectionResetError, BrokenPipeError):
            pass  # refused before all was read
        except TimeoutError:
            return Seen(data, received, ended=False)
    return Seen(data, received, ended=True)


@pytest.fixture
def address(server: Server) -> tuple[str, int]:
    parts = urlsplit(server.url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


@pytest.fixture
def quiet(server: Server) -> Iterator[None]:
    """Nothing is logged as a bug of ours, and nothing that a terminal obeys."""
    said = len(server.stderr)
    yield
    new = "".join(server.stderr[said:])
    assert "Traceback" not in new
    assert re.search(r"[^\n -~]", new) is None


@pytest.mark.usefixtures("well", "quiet")
def test_mutated_bytes_are_answered_or_the_connection_is_closed(address: tuple[str, int]) -> None:
    rng, statuses, since = random.Random(11), Counter[int](), time.monotonic()  # noqa: S311

    for _ in range(times(2_000, 100_000)):
        seen = exchanged(address, mutated(rng))
        assert seen.ended, seen
        found = [
            int(status) for status in re.findall(rb"^HTTP/1\.[01] (\d+) ", seen.received, re.M)
        ]
        assert set(found) - {100} <= PROMISED, seen
        statuses.update(found)

    assert time.monotonic() - since < times(2_000, 100_000) * 0.05  # seconds; none of them hung
    # The mutations are worth something: not all of them ended at the first line.
    assert min(statuses[200], statuses[400], statuses[404] + statuses[415] + statuses[422]) > 10
