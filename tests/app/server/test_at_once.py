"""Requests that are answered at once are answered as all others are."""

import re
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from tests.serving import DEADLINE, Server

BODY = b'{"inputs": [[5.1, 3.5, 1.4, 0.2], [6.2, 2.9, 4.3, 1.3]]}'
HEAD = (
    b"POST %s HTTP/1.1\r\nHost: localhost\r\n"
    b"X-Request-ID: same\r\nContent-Type: application/json\r\n"
)
LENGTH = b"Content-Length: %d\r\n\r\n" % len(BODY)

Send = Callable[[socket.socket, bytes], None]


def in_one_piece(connection: socket.socket, head: bytes) -> None:
    connection.sendall(head + LENGTH + BODY)


def body_later(connection: socket.socket, head: bytes) -> None:
    connection.sendall(head + LENGTH)
    time.sleep(0.05)
    connection.sendall(BODY[:10])
    time.sleep(0.05)
    connection.sendall(BODY[10:])


def in_chunks(connection: socket.socket, head: bytes) -> None:
    chunk = b"%x\r\n%s\r\n" % (len(BODY), BODY)
    connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk)
    time.sleep(0.05)
    connection.sendall(b"0\r\n\r\n")


def when_told_to(connection: socket.socket, head: bytes) -> None:
    connection.sendall(head + b"Expect: 100-continue\r\n" + LENGTH)
    assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(BODY)


def behind_another(connection: socket.socket, head: bytes) -> None:
    """Two at once: the second waits for the first, in a task."""
    first = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    connection.sendall(first + head + LENGTH + BODY)
    assert answer_from(connection).endswith(b"}")


def answer_from(connection: socket.socket) -> bytes:
    """One answer without its date, and nothing that comes after it."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(1)
    length = int(received.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while not re.search(rb"\r\n\r\n.{%d}\Z" % length, received, re.DOTALL):
        received += connection.recv(1)
    return re.sub(rb"date: [^\r]*\r\n", b"", received)


def connected(server: Server) -> socket.socket:
    found = urlsplit(server.url)
    return socket.create_connection((found.hostname or "", found.port or 0), DEADLINE)


@pytest.mark.parametrize("path", [b"/predict", b"/gradient", b"/predict?a=1"])
@pytest.mark.parametrize("send", [body_later, in_chunks, when_told_to, behind_another])
def test_however_a_request_comes_the_answer_is_the_same(
    server: Server, send: Send, path: bytes
) -> None:
    answers = []
    for each in (in_one_piece, send):
        with connected(server) as connection:
            each(connection, HEAD % path)
            answers.append(sorted(answer_from(connection).split(b"\r\n")))

    assert answers[0] == answers[1]


def test_many_requests_at_once_are_answered_in_their_order(server: Server) -> None:
    """The first of them at once, and those behind it in tasks."""
    names = [b"number-%d" % i for i in range(60)]
    head = HEAD.replace(b"X-Request-ID: same\r\n", b"") % b"/predict"

    with connected(server) as connection:
        connection.sendall(
            b"".join([head + b"X-Request-ID: %s\r\n" % name + LENGTH + BODY for name in names])
        )
        answers = [answer_from(connection) for _ in names]

    assert [re.search(rb"x-request-id: (.*?)\r", one)[1] for one in answers] == names  # type: ignore[index]  # it is there


def test_who_leaves_within_a_small_body_is_counted(server: Server) -> None:
    def left() -> float:
        text = client.get("/metrics").text
        return float(re.search(r"^softlens_disconnected_total (\S+)", text, re.M)[1])  # type: ignore[index]  # it is there

    with server.client() as client:
        before = left()
        with connected(server) as connection:
            connection.sendall(HEAD % b"/predict" + LENGTH + BODY[:10])
            time.sleep(0.05)
        until = time.monotonic() + DEADLINE
        while left() == before and time.monotonic() < until:
            time.sleep(0.01)

        assert left() == before + 1
