"""What is recalled of the head before is what would have been read."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.raw import Answer, Reader, connect, post
from tests.serving import Server, serving

WIDER = b'{"inputs": [[1, 2, 3, 4], [-1, 0.25, 1e3, 4]]}'
CLOSE = post("/livez", "Connection: close", body=b"")

# A parser that reads one request of a connection, and no more; and an app that sees its headers.
ONCE = """
import sys
from app.gate import Gate
from app.server.protocol import Protocol
from app.server.run import serve

def parse(self, piece, old=Protocol._parse):
    if self._requests and self.is_between():
        self.transport.abort()
    else:
        old(self, piece)

def remember(self, data, old=Protocol.remember):
    old(self, data)
    assert self._head is None or "extensions" not in self._head.scope

async def call(self, scope, receive, send, old=Gate.__call__):
    length = dict(scope["headers"])[b"content-length"]
    assert int(length) == len(scope["extensions"]["softlens.whole"].body)
    await old(self, scope, receive, send)

Protocol._parse, Protocol.remember, Gate.__call__ = parse, remember, call
sys.exit(serve({}))
"""


@pytest.fixture(scope="module")
def once(model_file: Path) -> Iterator[Server]:
    with serving(model_file, program=ONCE) as server:
        yield server


def asked(server: Server, *requests: bytes) -> list[Answer]:
    """The answers, each awaited before the next request is sent."""
    with connect(server) as connection:
        reader, answers = Reader(connection), []
        for request in requests:
            connection.sendall(request)
            answer = reader.next()
            assert answer is not None
            answers.append(answer)
    return answers


def without_names(answer: Answer) -> tuple[object, ...]:
    """What two answers to one request have in common."""
    headers = {k: v for k, v in answer.headers.items() if k not in {"date", "x-request-id"}}
    return answer.status, headers, re.sub(rb"urn:uuid:[0-9a-f-]+", b"", answer.body)


@pytest.mark.parametrize(
    "then",
    [
        post(),
        post(body=WIDER),
        post(body=b""),
        post(body=b'{"inputs": [1, 2, 3, ' + b" " * 30_000 + b"4]}"),
        post(body=b'{"inputs": [1, 2]}'),
        post(body=b"no JSON"),
    ],
    ids=["the same", "longer", "empty", "much longer", "refused", "broken"],
)
def test_a_head_that_comes_again_is_not_parsed_again(once: Server, then: bytes) -> None:
    _, *found = asked(once, post(), then, then)
    (expected,) = asked(once, then)

    assert [without_names(answer) for answer in found] == 2 * [without_names(expected)]
    assert len({answer.headers["x-request-id"] for answer in found}) == 2


@pytest.mark.parametrize(
    "then",
    [
        post("/gradient"),
        post("/predict?a=1"),
        post("/predict", "X-Request-ID: mine"),
        post("/predict", "Connection: close"),
        post("/predict", "Accept: text/plain"),
        post().replace(b"POST", b"PUT"),
        post().replace(b"HTTP/1.1", b"HTTP/1.0"),
        post().replace(b"localhost", b"elsewhere"),
        post().replace(b"24", b"0" * 3 + b"24"),
        post().replace(b": 24", b": +24"),
        post().replace(b": 24", b": 2 4"),
        post().replace(b": 24", b":24"),
        post().replace(b": 24", b": 0x18"),
        post().replace(b": 24", b": "),
        post().replace(b": 24", b": 24, 24"),
        post().replace(b": 24", b": 24\r\nContent-Length: 24"),
        post().replace(b": 24", b": 24\r\nTransfer-Encoding: chunked"),
        post().replace(b": 24", b": 4000000000"),
        post().replace(b": 24", b": 9999999"),
        post().replace(b"\r\n\r\n", b"\r\n\r\r\n", 1),
        post().replace(b"\r\n\r\n", b"\n\n", 1),
        b"\r\n" + post(),
    ],
)
def test_a_head_that_differs_is_read(server: Server, then: bytes) -> None:
    """Whatever one finds in it, that is the same on a connection that has no head to recall."""
    (expected,), (_, found) = asked(server, then), asked(server, post(), then)

    assert without_names(found) == without_names(expected)


@pytest.mark.parametrize("cut", range(1, len(post()), 7))
def test_a_request_in_two_pieces_is_read(server: Server, cut: int) -> None:
    with connect(server) as connection:
        reader = Reader(connection)
        for pause in (0.0, 0.02, 0.0):
            connection.sendall(post()[:cut])
            time.sleep(pause)
            connection.sendall(post()[cut:])
            answer = reader.next()
            assert answer is not None
            assert answer.status == 200


def test_what_stands_behind_a_request_is_read(server: Server) -> None:
    sent = post() + post(body=WIDER) + post() + CLOSE
    with connect(server) as connection:
        reader = Reader(connection)
        connection.sendall(post())
        assert reader.next()
        connection.sendall(sent)

        assert [answer.status for answer in reader.all()] == [200, 200, 200, 405]


def test_a_smuggled_head_is_no_body(server: Server) -> None:
    """A length that tells of less than what follows leaves another request behind it."""
    hidden = post("/predict", "Connection: close", body=WIDER)
    with connect(server) as connection:
        reader = Reader(connection)
        connection.sendall(post())
        assert reader.next()
        connection.sendall(post(body=b'{"inputs": [1, 2, 3, 4]}' + hidden, length=24))

        first, second = reader.all()

    assert [len(answer.body.split(b"],[")) for answer in (first, second)] == [1, 2]


def test_a_header_behind_the_length_is_read(server: Server) -> None:
    """It is as long as the other one, so that everything stands where it stood."""
    first, then = (post("/predict", f"{name}ontent-Encoding: gzip") for name in "XC")

    assert [answer.status for answer in asked(server, first, then)] == [200, 415]


def test_a_body_that_is_too_large_is_refused(model_file: Path) -> None:
    body = b" " * 1000 + b'{"inputs": [1, 2, 3, 4]}'
    with serving(model_file, max_body_bytes=500) as server:
        _, longer = asked(server, post(), post(body=body))

    assert (longer.status, longer.slug) == (413, "body-too-large")


def test_a_head_that_grows_beyond_its_limit_is_refused(model_file: Path) -> None:
    """By the digits of a length, from a head that was just short enough."""
    body = b" " * 1000 + b'{"inputs": [1, 2, 3, 4]}'
    found = []
    with serving(model_file, max_header_bytes=1024) as server:
        for length in range(900, 960):
            padding = f"X-Padding: {'p' * length}"
            first, then = post("/predict", padding), post("/predict", padding, body=body)
            if asked(server, first)[0].status == 200:
                after, alone = asked(server, first, then)[1], asked(server, then)[0]
                found.append((after.status, alone.status))

    assert set(found) == {(200, 200), (431, 431)}
