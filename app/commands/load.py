"""A closed loop of requests: each connection asks again when its last answer is complete.

Answers are counted by their bytes and not parsed, so that the client costs less than any server.
"""

import asyncio
import re
import time
from collections import Counter
from contextlib import suppress
from typing import NamedTuple, cast

import uvloop

from app.failures import UnreachableError

_PATIENCE = 10.0  # seconds: to connect, and for the answers still to come when time is up
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_OK = 200


class Question(NamedTuple):
    """What is posted, again and again, and to whom."""

    host: str
    port: int
    request: bytes  # its head and its body


class Bounds(NamedTuple):
    """When it is enough."""

    connections: int
    seconds: float
    requests: int


class Answers(NamedTuple):
    """What came back."""

    latencies: list[float]  # seconds from a request to all of its answer, of each that was 200
    refused: Counter[int]  # how many had which other status
    lost: int  # how many had no answer when waiting ended
    seconds: float  # from the first request to the last answer


def post(question: Question, bounds: Bounds) -> Answers:
    """Ask until time is up or enough was asked, and wait for what was asked to be answered.

    Raises:
        UnreachableError: a connection could not be made, or ended, or answered no HTTP.
    """
    return uvloop.run(_post(question, bounds))


async def _post(question: Question, bounds: Bounds) -> Answers:
    run, loop = _Run(question.request, bounds), asyncio.get_running_loop()
    connections: list[_Connection] = []
    try:
        async with asyncio.timeout(_PATIENCE):
            for _ in range(bounds.connections):
                made = loop.create_connection(lambda: _Connection(run), *question[:2])
                connections.append((await made)[1])
        return await run.answers(connections)
    except TimeoutError:
        raise UnreachableError(f"no connection within {_PATIENCE:.0f} seconds") from None
    except OSError as error:
        raise UnreachableError(error.strerror or str(error)) from None
    finally:
        for connection in connections:
            connection.transport.abort()


class _Run:
    """What the connections share: when to stop, and what came back."""

    def __init__(self, request: bytes, bounds: Bounds) -> None:
        self.request = request
        self.latencies: list[float] = []
        self.refused: Counter[int] = Counter()
        self._bounds = bounds
        self._left = bounds.requests
        self._waiting = 0
        self._started = self._last = 0.0
        self._over = asyncio.Event()
        self._failure = ""

    async def answers(self, connections: "list[_Connection]") -> Answers:
        """Let all of them ask, from now on."""
        self._started = self._last = time.perf_counter()
        for connection in connections:
            connection.ask(self._started)
        with suppress(TimeoutError):  # what has not come by then is lost
            async with asyncio.timeout(self._bounds.seconds + _PATIENCE):
                await self._over.wait()
        if self._failure:
            raise UnreachableError(self._failure)
        return Answers(self.latencies, self.refused, self._waiting, self._last - self._started)

    def goes_on(self, now: float) -> bool:
        """Whether one more may be asked, which is then counted."""
        if self._left == 0 or now >= self._started + self._bounds.seconds:
            return False
        self._left -= 1
        self._waiting += 1
        return True

    def answered(self, now: float) -> None:
        """One less is waited for."""
        self._last = now
        self._waiting -= 1

    def rest(self) -> None:
        """A connection asks no more. When none waits, the run is over."""
        if self._waiting == 0:
            self._over.set()

    def fail(self, reason: str) -> None:
        """End at once; only the first reason counts."""
        if not self._over.is_set():
            self._failure = reason
            self._over.set()


class _Connection(asyncio.Protocol):
    """One request after the other."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._answer = b""
        # Of the last answer: the same question always has an answer of the same length, so the
        # head of the next one is read only where that fails.
        self._expected = 0
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Of a TCP connection it is one, but uvloop's does not inherit from it.
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._run.fail(f"a connection ended: {error or 'closed by the server'}")

    def ask(self, now: float) -> None:
        self._answer = b""
        if self._run.goes_on(now):
            self._sent = now
            self.transport.write(self._run.request)
        else:
            self._run.rest()

    def data_received(self, data: bytes) -> None:
        self._answer = self._answer + data if self._answer else data
        if len(self._answer) == self._expected and self._answer.startswith(b"HTTP/1.1 200 "):
            self._complete(_OK)
            return
        head = _head(self._answer)
        if head is None:
            return
        if head.length == 0:
            self._run.fail("what was answered is no HTTP")
        self._expected = head.length
        if 0 < self._expected <= len(self._answer):
            self._complete(head.status)

    def _complete(self, status: int) -> None:
        now = time.perf_counter()
        if status == _OK:
            self._run.latencies.append(now - self._sent)
        else:
            self._run.refused[status] += 1
        self._run.answered(now)
        self.ask(now)


class _Head(NamedTuple):
    """What is told of an answer before its body."""

    status: int
    length: int  # bytes of the whole answer; 0 for what is no answer


def _head(answer: bytes) -> _Head | None:
    """The head of an answer; None while it is not known where the answer ends."""
    head, end, _ = answer.partition(b"\r\n\r\n")
    if not end:
        return None
    status, length, start = _STATUS.match(head), _LENGTH.search(head), len(head) + len(end)
    if status and length:
        return _Head(int(status[1]), start + int(length[1]))
    if status and _CHUNKED.search(head):
        whole = _end_of_chunks(answer, start)
        return None if whole is None else _Head(int(status[1]), whole)
    return _Head(0, 0)


def _end_of_chunks(answer: bytes, start: int) -> int | None:
    """Where a chunked body without trailers ends; None while it is not there, 0 if it is none."""
    while True:
        line = answer.find(b"\r\n", start)
        if line < 0:
            return None
        try:
            size = int(answer[start:line].partition(b";")[0], 16)
        except ValueError:
            return 0
        start = line + 2 + size + 2
        if size == 0:
            return start if start <= len(answer) else None
