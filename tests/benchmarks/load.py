"""`python -m tests.benchmarks.load PORT CONNECTIONS SECONDS [PATH LENGTH]`: post stdin for a while.

The path is /predict unless given; LENGTH is the number of bytes of JSON before a binary tensor. A
closed loop: every connection sends its next request when its last answer is complete. Answers are
counted by their bytes and not parsed, so that the client costs less than the server. Prints a line
of JSON: requests, seconds, and the median and 99th percentile of the latency in seconds.
"""

import asyncio
import json
import re
import sys
import time
from typing import NamedTuple, cast

import numpy as np
import uvloop


class Connection(asyncio.Protocol):
    """One request after the other; `broken` learns of the first failure on any connection."""

    def __init__(
        self, request: bytes, latencies: list[float], broken: asyncio.Future[None]
    ) -> None:
        self.request = request
        self.latencies = latencies
        self.broken = broken
        self.answer = b""
        self.expected = 0  # bytes; the same question always has an answer of the same length

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Of a TCP connection it is one, but uvloop's does not inherit from it.
        self.transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self.answer += data
        if not self.expected:
            self.expected = _length(self.answer)
        if not self.expected or len(self.answer) < self.expected:
            return
        if not self.answer.startswith(b"HTTP/1.1 200 "):
            self._fail(f"expected 200, got {self.answer!r}")
            return
        self.latencies.append(time.perf_counter() - self.sent)
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"expected the connection to last, got {error}")

    def _send(self) -> None:
        self.answer = b""
        self.sent = time.perf_counter()
        self.transport.write(self.request)

    def _fail(self, reason: str) -> None:
        if not self.broken.done():
            self.broken.set_exception(RuntimeError(reason))


class Question(NamedTuple):
    """What is posted, again and again."""

    body: bytes
    path: str = "/predict"
    json_length: str = ""  # of a body that ends with a binary tensor

    def request(self) -> bytes:
        """It with its headers."""
        if self.json_length:
            headers = f"inference-header-content-length: {self.json_length}"
        else:
            headers = "content-type: application/json"
        return (
            f"POST {self.path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}\r\n"
            f"content-length: {len(self.body)}\r\n\r\n"
        ).encode() + self.body


async def post(port: int, connections: int, seconds: float, question: Question) -> list[float]:
    """Latencies in seconds.

    Raises:
        RuntimeError: an answer was not 200, or a connection ended.
    """
    request = question.request()
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    broken: asyncio.Future[None] = loop.create_future()
    transports = []
    for _ in range(connections):
        transport, _connection = await loop.create_connection(
            lambda: Connection(request, latencies, broken), "127.0.0.1", port
        )
        transports.append(transport)
    try:
        await asyncio.wait_for(asyncio.shield(broken), seconds)
    except TimeoutError:  # nothing broke
        broken.cancel()
    for transport in transports:
        transport.abort()
    return latencies


def _length(answer: bytes) -> int:
    """Bytes of the whole answer; 0 while its head is not complete."""
    head, end, _ = answer.partition(b"\r\n\r\n")
    found = re.search(rb"content-length: (\d+)", head)
    return len(head) + len(end) + int(found[1]) if end and found else 0


def main() -> None:
    port, connections = map(int, sys.argv[1:3])
    question = Question(sys.stdin.buffer.read(), *sys.argv[4:])
    started = time.perf_counter()
    latencies = uvloop.run(post(port, connections, float(sys.argv[3]), question))
    seconds = time.perf_counter() - started
    middle, tail = np.percentile(latencies, (50, 99)).tolist()
    print(
        json.dumps({"requests": len(latencies), "seconds": seconds, "median": middle, "p99": tail})
    )


if __name__ == "__main__":
    main()
