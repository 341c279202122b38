"""Bytes on a socket, because a well-behaved client cannot be told to misbehave."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

from tests.serving import DEADLINE, Server

ROW = b'{"inputs": [1, 2, 3, 4]}'
LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def slug(self) -> str:
        """Of the problem, in whatever shape."""
        document: dict[str, str] = httpx.Response(200, content=self.body).json()
        return document["type"].removeprefix("/problems/")


def post(path: str = "/predict", *headers: str, body: bytes = ROW, length: int = -1) -> bytes:
    """A request, with whatever headers come on top; of any length that it claims."""
    lines = [
        f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json",
        f"Content-Length: {len(body) if length < 0 else length}", *headers,
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def get(path: str = "/livez", *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers]).encode() + b"\r\n\r\n"


def connect(server: Server, *, buffer: int = 0) -> socket.socket:
    """A connection; with a small `buffer`, in bytes, for answers where they are not read."""
    connection = socket.socket()
    connection.settimeout(DEADLINE)
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    parts = urlsplit(server.url)
    connection.connect((parts.hostname, parts.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Reader:
    """Answers, one after the other."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb")

    def next(self, *, head_only: bool = False) -> Answer | None:
        """The next one; None when the connection was closed properly before it."""
        line = self._file.readline()
        if not line:
            return None
        headers = {}
        for header in iter(self._file.readline, b"\r\n"):
            name, _, value = header.decode().partition(": ")
            headers[name.lower()] = value.strip()
        length = 0 if head_only else int(headers["content-length"])
        body = self._file.read(length)
        assert len(body) == length
        return Answer(int(line.split()[1]), headers, body)

    def all(self) -> list[Answer]:
        """All, until the connection is closed. A reset is a failure."""
        return list(iter(self.next, None))


def said(server: Server, sent: bytes) -> list[Answer]:
    """All answers to these bytes, by a server that closes the connection after them."""
    with connect(server) as connection:
        connection.sendall(sent)
        return Reader(connection).all()


def lives(server: Server) -> bool:
    """Whether a new connection is answered."""
    return [answer.status for answer in said(server, get("/livez", "Connection: close"))] == [200]


def files_of(server: Server) -> int:
    """Open file descriptors."""
    folder = Path(f"/proc/{server.process.pid}/fd")
    if not folder.exists():
        pytest.skip("needs /proc to see open files")
    return len(list(folder.iterdir()))


@contextmanager
def staying_well(server: Server) -> Iterator[None]:
    """Afterwards the same process answers, and nothing of what happened is still open."""
    assert lives(server)
    before = files_of(server)
    yield
    assert lives(server)
    assert server.process.poll() is None
    deadline = time.monotonic() + DEADLINE
    while files_of(server) > before:
        assert time.monotonic() < deadline, "connections stay open"
        time.sleep(0.05)
