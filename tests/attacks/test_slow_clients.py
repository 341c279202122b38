"""Clients that keep a server waiting, each closed in time; what is normal goes on beside them."""

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.attacks.raw import LIVE, Reader, connect, files_of, get, post, said, staying_well
from tests.serving import DEADLINE, Server, serving

# Each a setting. Far enough apart to tell which of them struck, on a machine that is busy.
HASTY: dict[str, Any] = {  # Any: settings
    "header_seconds": 1.5, "body_seconds": 1.5, "request_seconds": 4, "write_seconds": 1.5,
    "keep_alive_seconds": 1.5,
}  # fmt: skip
PATIENT: dict[str, Any] = dict.fromkeys(HASTY, 600)
COUNT = int(os.environ.get("SLOW_CLIENTS", "100"))
SLACK = 1.5  # seconds from a deadline to its effect; the sweep needs 0.5, a busy machine the rest


class Client(NamedTuple):
    """What it sends at once, what it goes on with, and what it gets."""

    first: bytes
    then: bytes  # one byte at each tick, from the start again when it is through
    tick: float  # seconds
    detail: str  # of the 408; closed without a word if empty
    seconds: float  # until that


HEAD = "expected the head of a request within 1.5 seconds (SOFTLENS_HEADER_SECONDS)"
BODY = "expected the next part of a body within 1.5 seconds (SOFTLENS_BODY_SECONDS)"
WHOLE = "expected a whole request within 4 seconds (SOFTLENS_REQUEST_SECONDS)"
HALF_HEAD = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: "
CHUNKED = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
CHUNKED += b"Content-Type: application/json\r\n\r\n"

# Its answer is of 20 MB, more than any buffer of the kernel.
LARGE = post("/gradient", "Connection: close", body=b'{"logits": [[' + b"0.1," * 999 + b"0]]}")

CLIENTS = {
    "H16 half a body": Client(post(length=1000), b"", 1, BODY, 1.5),
    "H16 half a chunk": Client(CHUNKED + b"a\r\n123", b"", 1, BODY, 1.5),
    "H16 no chunk": Client(CHUNKED, b"", 1, BODY, 1.5),
    "H16 no last chunk": Client(CHUNKED + b"1\r\n{\r\n", b"", 1, BODY, 1.5),
    "H19 Expect: 100-continue, then nothing": Client(
        post("/predict", "Expect: 100-continue", body=b"", length=9), b"", 1, BODY, 1.5
    ),
    "H20 nothing": Client(b"", b"", 1, "", 1.5),
    "H20 half a head": Client(HALF_HEAD, b"", 1, HEAD, 1.5),
    "H20 half a method": Client(b"GE", b"", 1, HEAD, 1.5),
    "H20 a head without its last line": Client(get()[:-2], b"", 1, HEAD, 1.5),
    "H21 a head byte by byte": Client(HALF_HEAD, b"x", 0.2, HEAD, 1.5),
    "H21 a header after the other": Client(HALF_HEAD, b"x\r\nX:", 0.1, HEAD, 1.5),
    "H21 blank lines": Client(b"", b"\r\n", 0.2, "", 1.5),
    "H22 a body byte by byte": Client(post(length=1000), b" ", 0.2, WHOLE, 4),
    "H22 chunks byte by byte": Client(CHUNKED, b"1\r\n \r\n", 0.1, WHOLE, 4),
    "H22 a chunk extension byte by byte": Client(CHUNKED + b"1;", b"x", 0.2, BODY, 1.5),
    "H22 trailers byte by byte": Client(CHUNKED + b"0\r\nX: ", b"x", 0.2, BODY, 1.5),
}


@pytest.fixture(scope="module")
def hasty(model_file: Path) -> Iterator[Server]:
    with serving(model_file, **HASTY) as server:
        yield server


@pytest.fixture
def well(hasty: Server) -> Iterator[Server]:
    with staying_well(hasty):
        yield hasty


def endure(connection: socket.socket, client: Client) -> float:
    """Be that client until the server says something or closes; the seconds that took."""
    started = time.monotonic()
    connection.sendall(client.first)
    sent = 0
    while not select.select([connection], [], [], client.tick)[0]:
        if client.then:
            connection.sendall(client.then[sent % len(client.then)].to_bytes())
            sent += 1
        assert time.monotonic() < started + DEADLINE, "still open"
    return time.monotonic() - started


@pytest.mark.parametrize("name", CLIENTS)
def test_a_slow_client_is_told_or_closed_in_time(name: str, well: Server) -> None:
    client = CLIENTS[name]

    with connect(well) as connection:
        seconds = endure(connection, client)
        if "Expect" in name:
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
            seconds += endure(connection, client._replace(first=b""))
        answer = Reader(connection).next()

    assert client.seconds <= seconds + 0.01
    assert seconds < client.seconds + SLACK
    if client.detail:
        assert answer is not None
        assert (answer.status, answer.slug) == (408, "request-timeout")
        assert client.detail in answer.body.decode()
        assert answer.headers["connection"] == "close"
    else:
        assert answer is None


def test_an_idle_connection_is_closed(well: Server) -> None:
    with connect(well) as connection:
        connection.sendall(LIVE)
        reader = Reader(connection)
        answer, started = reader.next(), time.monotonic()

        assert answer is not None
        assert answer.status == 200
        assert reader.next() is None
        assert 1 < time.monotonic() - started < 1.5 + SLACK


def test_a_head_behind_an_answer_has_a_time_of_its_own(well: Server) -> None:
    with connect(well) as connection:
        connection.sendall(LIVE + HALF_HEAD)
        first, second = Reader(connection).all()

    assert (first.status, second.status) == (200, 408)


def test_a_client_that_is_only_slow_is_answered(well: Server) -> None:
    """Each part just in time: the deadlines are for pauses, but for the head and the whole."""
    request = post(body=b" " * 20 + b'{"inputs": [1, 2, 3, 4]}')
    parts = [request[:30], request[30:-20], request[-20:-10], request[-10:]]
    with connect(well) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.6)
        answer = Reader(connection).next()

    assert answer is not None
    assert answer.status == 200


def test_a_client_that_takes_no_answer_is_cut_off(well: Server) -> None:
    """H24. What the kernel has taken may still arrive; that it is not whole is what matters."""
    with connect(well) as connection:
        connection.sendall(LARGE)
        assert connection.recv(1)  # so it was accepted, and is counted
        before, started = files_of(well), time.monotonic()
        while files_of(well) >= before:
            assert time.monotonic() < started + DEADLINE, "still open"
            time.sleep(0.05)
        assert 1 < time.monotonic() - started < 1.5 + 2 * SLACK


def test_a_client_that_takes_its_time_gets_the_whole_answer(well: Server) -> None:
    """It needs longer than SOFTLENS_WRITE_SECONDS in all, but never stops for so long."""
    received = bytearray()
    with connect(well) as connection:
        connection.sendall(LARGE)
        for i in range(10**6):
            piece = connection.recv(2**18)
            if not piece:
                break
            received += piece
            time.sleep(0.1 if i < 30 else 0)

    head, _, body = received.partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head


@pytest.mark.parametrize("name", ["H16 half a body", "H20 nothing", "H20 half a head"])
def test_a_control_with_more_patience_waits(name: str, model_file: Path) -> None:
    client = CLIENTS[name]
    with serving(model_file, **PATIENT) as server, connect(server) as connection:
        connection.sendall(client.first)

        assert not select.select([connection], [], [], client.seconds + SLACK)[0]


def test_many_slow_clients_hold_up_nobody_and_are_all_gone_in_time(well: Server) -> None:
    """H23. SLOW_CLIENTS sets their number."""
    kinds = [
        CLIENTS[name] for name in ("H20 nothing", "H21 a head byte by byte", "H16 half a body")
    ]
    slow = [(connect(well), kinds[i % len(kinds)]) for i in range(COUNT)]
    started = time.monotonic()
    closed: list[float] = []
    herd = threading.Thread(target=_drive, args=(slow, closed), daemon=True)
    herd.start()

    answered = 0
    while herd.is_alive() and time.monotonic() < started + DEADLINE:
        assert [a.status for a in said(well, post("/predict", "Connection: close"))] == [200]
        answered += 1
    herd.join(DEADLINE)

    assert len(closed) == COUNT
    # The server may be a little late for many; that it is never seconds is what matters.
    assert max(closed) - started < 1.5 + 2 * SLACK
    assert answered >= 20


def _drive(slow: list[tuple[socket.socket, Client]], closed: list[float]) -> None:
    """Be all of these clients until the server has closed every one of them."""
    open_ones = dict(slow)
    for connection, client in slow:
        connection.sendall(client.first)
    deadline = time.monotonic() + DEADLINE
    while open_ones and time.monotonic() < deadline:
        for connection in select.select(list(open_ones), [], [], 0.1)[0]:
            while connection.recv(65_536):
                pass
            closed.append(time.monotonic())
            connection.close()
            del open_ones[connection]
        for connection, client in open_ones.items():
            if client.then:
                connection.send(client.then[:1])
