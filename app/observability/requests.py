"""One log line for each request, or for as many as an operator wants to read.

A line holds what the server itself has chosen or judged: never a body, the value of a header, a
feature or a key. It is put aside while the request is answered, and written in a thread, many at
once: whoever reads stderr slowly, or not at all, delays no answer.
"""

import atexit
import os
import select
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any, Literal, NamedTuple, TypeAlias

import orjson

from app.calls import Call
from app.observability.layout import METHODS, OTHER_METHOD, UNMATCHED
from app.observability.traces import trace_id_of
from app.talk import printable

Wanted: TypeAlias = Literal["off", "sampled", "all"]

# Asked every few seconds by machines: a line says only that they went well.
_QUIET = {
    "/livez", "/readyz", "/healthz", "/metrics", "/ping", "/v2/health/live", "/v2/health/ready",
}  # fmt: skip
_MOST_WAITING = 10_000  # lines
_PAUSE_SECONDS = 0.05
_FAREWELL_SECONDS = 1.0


class Line(NamedTuple):
    """What is told of a request."""

    time: float  # when it was answered, seconds since 1970
    request_id: str
    trace_id: str | None
    method: str
    route: str
    status: int
    seconds: float
    rows: int  # that the model computed
    model: str  # empty where none was asked
    model_version: str
    reason: str  # the slug of its problem; empty for none
    skipped: int  # requests before it that have no line


class RequestLog:
    """Decides which requests get a line, and lets it be written.

    Attributes:
        wanted: whether any do.
    """

    def __init__(
        self,
        wanted: Wanted,
        per_second: int,
        *,
        as_json: bool,
        failures_only: bool = False,
        write: Callable[[bytes], None] | None = None,
    ) -> None:
        """Start with nothing to write.

        Args:
            wanted: `sampled` for so many a second, and none for health checks that went well.
            per_second: how many.
            as_json: whether lines are objects.
            failures_only: whether only failures of the server get one.
            write: takes lines in place of stderr.
        """
        self.wanted = wanted != "off"
        self._sampled = wanted == "sampled"
        self._per_second = per_second
        self._second, self._left, self._skipped = 0, 0, 0
        self._failures_only = failures_only
        self._writer = _Writer(_as_json if as_json else _as_text, write or _to_stderr)

    def note(self, call: Call, status: int, seconds: float) -> None:
        """Take a request that was answered into account."""
        if self._failures_only and status < 500:
            return
        if self._sampled and not self._has_room(call.route, status):
            return
        run = call.run
        line = Line(
            time.time(),
            call.id,
            trace_id_of(call),
            call.method if call.method in METHODS else OTHER_METHOD,
            call.route or UNMATCHED,
            status,
            seconds,
            run.rows if run else 0,
            run.served.name if run else "",
            run.served.version if run else "",
            call.refusal,
            self._skipped,
        )
        self._skipped = 0 if self._writer.put(line) else self._skipped + 1

    def close(self) -> None:
        """Write what waits, but wait no second longer for whoever does not read it."""
        self._writer.close()

    def _has_room(self, route: str, status: int) -> bool:
        if route in _QUIET and status < 400:
            return False
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._left = second, self._per_second
        if self._left == 0:
            self._skipped += 1
            return False
        self._left -= 1
        return True


class _Writer:
    """A thread, from the first line on, because a process that has one must not fork."""

    def __init__(
        self, format_line: Callable[[Line], bytes], write: Callable[[bytes], None]
    ) -> None:
        self._format = format_line
        self._write = write
        self._waiting: deque[Line] = deque()
        self._wake = Event()
        self._thread: Thread | None = None
        self._closing = False

    def put(self, line: Line) -> bool:
        """Let a line be written soon; not if too many wait already."""
        if len(self._waiting) >= _MOST_WAITING:
            return False
        self._waiting.append(line)
        if self._thread is None:
            self._thread = Thread(target=self._run, name="request log", daemon=True)
            self._thread.start()
            atexit.register(self.close)
        if not self._wake.is_set():
            self._wake.set()
        return True

    def close(self) -> None:
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(_FAREWELL_SECONDS)

    def _run(self) -> None:
        while not self._closing or self._waiting:
            self._wake.wait()
            self._wake.clear()
            lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
            with suppress(OSError):  # that nobody can hear it is no reason to fail
                self._write(b"".join(map(self._format, lines)))
            if not self._closing:
                time.sleep(_PAUSE_SECONDS)


def _as_json(line: Line) -> bytes:
    told: dict[str, Any] = {  # Any: texts, numbers, a time
        "ts": datetime.fromtimestamp(line.time, UTC),
        "level": _level(line),
        "event": "request",
        "pid": os.getpid(),
        "request_id": line.request_id,
        "method": line.method,
        "route": line.route,
        "status": line.status,
        "duration_ms": round(line.seconds * 1e3, 3),
    }
    if line.trace_id:
        told["trace_id"] = line.trace_id
    if line.model:
        told |= {"rows": line.rows, "model": line.model, "model_version": line.model_version}
    if line.reason:
        told["reason"] = line.reason
    if line.skipped:
        told["skipped"] = line.skipped
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)


def _as_text(line: Line) -> bytes:
    text = f"{_level(line).upper()} {line.method} {line.route} {line.status}"
    text += f" in {line.seconds * 1e3:.1f} ms"
    if line.rows:
        text += f", {line.rows} row{'s' if line.rows > 1 else ''} of {line.model}"
        text += f" version {line.model_version}"
    if line.reason:
        text += f", {line.reason}, request {line.request_id}"
    if line.skipped:
        text += f"; {line.skipped} before it not shown"
    return f"{printable(text)}\n".encode()


def _level(line: Line) -> str:
    return "warning" if line.status >= 500 else "info"


def _to_stderr(lines: bytes) -> None:
    if sys.stderr is None:
        return
    descriptor = sys.stderr.fileno()
    rest = memoryview(lines)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # a pipe that somebody has made so
            select.select([], [descriptor], [], 1.0)
