"""`python -m tests.soak.offered PORT RATE SECONDS`: post stdin at a rate, whatever becomes of it.

An open loop: requests are sent when they are due, on a connection that is free or on a new one, and
their latency counts from when they were due. With a rate of 0 a closed loop of 8 connections, which
finds out how much can be answered. Prints a line of JSON.
"""

import asyncio
import json
import os
import sys
import time
from contextlib import suppress

import numpy as np
import uvloop

_CLOSED = 8
_MOST = 2000  # connections


class Found:
    """Latencies in seconds, by what became of the request."""

    def __init__(self) -> None:
        self.answered: list[float] = []
        self.refused: list[float] = []
        self.failed = 0

    def document(self, seconds: float) -> dict[str, float]:
        return {
            "answered": len(self.answered),
            "refused": len(self.refused),
            "failed": self.failed,
            "per_second": len(self.answered) / seconds,
            "median": _at(self.answered, 50),
            "p99": _at(self.answered, 99),
            "refused_p99": _at(self.refused, 99),
        }


def _at(values: list[float], percentile: float) -> float:
    return float(np.percentile(values, percentile)) if values else 0.0


class Clients:
    """Connections that are free, and what came of the requests."""

    def __init__(self, port: int, request: bytes) -> None:
        self._port = port
        self._request = request
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._open = 0
        self.found = Found()

    async def ask(self, due: float) -> None:
        """One request."""
        try:
            reader, writer = self._spare() or await self._connect()
            writer.write(self._request)
            head = await reader.readuntil(b"\r\n\r\n")
            fields = head.lower().split(b"\r\n")
            length = next(int(line[15:]) for line in fields if line.startswith(b"content-length:"))
            await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError):
            self.found.failed += 1
            self._open -= 1
            return
        took = time.perf_counter() - due
        (self.found.answered if head[9:12] == b"200" else self.found.refused).append(took)
        if b"connection: close" in fields:
            writer.close()
            self._open -= 1
        else:
            self._free.append((reader, writer))

    def _spare(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A connection that is free, and that the server has not closed because it was quiet."""
        while self._free:
            reader, writer = self._free.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
            self._open -= 1
        return None

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._open >= _MOST:
            self._open += 1  # for the failure that follows
            raise OSError
        self._open += 1
        return await asyncio.open_connection("127.0.0.1", self._port)


async def offer(clients: Clients, rate: float, seconds: float) -> None:
    """Send what is due, and wait for the last answers."""
    began, tasks, sent = time.perf_counter(), set(), 0
    while (now := time.perf_counter() - began) < seconds:
        while sent < now * rate:
            task = asyncio.ensure_future(clients.ask(began + sent / rate))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            sent += 1
        await asyncio.sleep(min(0.002, 1 / rate))
    if tasks:
        await asyncio.wait(tasks, timeout=30)


async def keep_on(clients: Clients, seconds: float) -> None:
    """One request after the other on each of a few connections."""
    until = time.perf_counter() + seconds

    async def one() -> None:
        while (now := time.perf_counter()) < until:
            await clients.ask(now)

    await asyncio.gather(*(one() for _ in range(_CLOSED)))


def main(port: int, rate: float, seconds: float) -> None:
    with suppress(AttributeError, OSError):  # the server has the first processor
        mine = os.sched_getaffinity(0)
        os.sched_setaffinity(0, mine - {min(mine)} or mine)
    body = sys.stdin.buffer.read()
    clients = Clients(
        port,
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
    )
    uvloop.run(offer(clients, rate, seconds) if rate else keep_on(clients, seconds))
    sys.stdout.write(json.dumps(clients.found.document(seconds)) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
