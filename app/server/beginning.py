"""uvicorn's protocol, made to begin requests when they have arrived, and to answer in one write.

docs/decisions/0012-at-once.md has the reasons. It reaches into uvicorn's insides:
tests/app/server/test_uvicorn.py holds that they are as they were.
"""

import asyncio
import re
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from app.gate import WHOLE
from app.server.connections import Connections
from app.server.writing import Flow, Gathered
from app.turns import begin

_PLAIN_URL = re.compile(rb"/[A-Za-z0-9/._~-]*")  # a path that means what it says
SOON = 65_536  # bytes of a body that is waited for before the application begins


class _Whole:
    """A request that has arrived, to be answered in one piece."""

    __slots__ = ("_cycle", "_protocol", "body")

    def __init__(self, protocol: "Beginning", cycle: RequestResponseCycle) -> None:
        self._protocol, self._cycle = protocol, cycle
        self.body = bytes(cycle.body)

    def answer(self, status: int, lines: bytes, name: str, body: bytes) -> bool:
        return self._protocol.answer(self._cycle, status, lines, name, body)

    def forget(self, _task: object = None) -> None:
        """Let go of the request, which knows of this: nothing has to look for such rings."""
        del self._protocol, self._cycle


class Beginning(HttpToolsProtocol):
    """One connection, on which requests begin at once if nothing stands in their way."""

    transport: Gathered  # type: ignore[assignment]  # stands in for asyncio's
    flow: Flow

    def __init__(self, shared: Connections, *rest: Any, **named: Any) -> None:  # Any: uvicorn's
        super().__init__(*rest, **named)
        self._shared = shared
        self._coming = 0  # bytes of a body whose length was told
        self._unbegun: RequestResponseCycle | None = None  # the last, if the application waits

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Have the application begin when the parser has let go of what has arrived."""
        self._unbegun = cycle

    def _begin(self) -> None:
        """Let the application begin, unless a little body is still to come."""
        cycle = self._unbegun
        if cycle is None or self._begin_if_whole():
            return
        if not 0 < self._coming <= SOON or cycle.waiting_for_100_continue:
            self._begin_task(cycle)

    def _begin_if_whole(self) -> bool:
        """Answer a request that has arrived, at once where that takes no waiting."""
        cycle = self._unbegun
        if cycle is None or cycle.more_body:
            return False
        within_another = asyncio.current_task(self.loop) is not None
        if within_another or self._shared.is_late(self.loop):
            self._begin_task(cycle)
            return True
        self._unbegun = None
        whole = _Whole(self, cycle)
        cycle.scope["extensions"] = {WHOLE: whole}  # type: ignore[dict-item]  # of our own
        task = begin(cycle.run_asgi(self.app), self.loop)
        if task is None:
            whole.forget()
        else:
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
            task.add_done_callback(whole.forget)
        return True

    def _begin_task(self, cycle: RequestResponseCycle) -> None:
        self._unbegun = None
        super()._start_asgi_task(cycle, self.app)

    def answer(
        self, cycle: RequestResponseCycle, status: int, lines: bytes, name: str, body: bytes
    ) -> bool:
        """Answer a request in one write; not where that has to wait for room.

        Args:
            cycle: the request.
            status: of HTTP.
            lines: headers of the answer, but for those of every answer.
            name: what the request is called.
            body: of the answer.
        """
        if self.flow.write_paused or cycle.disconnected:
            return False
        cycle.response_started = cycle.response_complete = True
        if cycle.keep_alive and b"connection: close\r\n" in lines:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            lines += b"connection: close\r\n"
        always = self._shared.lines(self.server_state.default_headers)
        sent = b"" if cycle.scope["method"] == "HEAD" else body
        named = (STATUS_LINE[status], always, lines, name.encode(), sent)
        self.transport.write(b"%b%b%bx-request-id: %b\r\n\r\n%b" % named)
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()
        return True

    def on_headers_complete(self) -> None:
        """Make the request; as uvicorn does, but of a URL that needs no taking apart."""
        if not _PLAIN_URL.fullmatch(self.url):
            super().on_headers_complete()
            return
        scope, url, parser, before = self.scope, self.url, self.parser, self.cycle
        scope["method"] = parser.get_method().decode()
        scope["http_version"] = version = parser.get_http_version()
        scope["path"], scope["raw_path"], scope["query_string"] = url.decode(), url, b""
        cycle = self.cycle_of(keep_alive=version != "1.0" and parser.should_keep_alive())
        self.cycle = cycle
        if before is None or before.response_complete:
            self._unbegun = cycle
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def cycle_of(self, *, keep_alive: bool) -> RequestResponseCycle:
        """What answers the request of `self.scope`."""
        transport: Any = self.transport  # Any: stands in for asyncio's
        return RequestResponseCycle(
            self.scope, transport, self.flow, self.logger, self.access_logger, False,
            self.server_state.default_headers, asyncio.Event(), self.expect_100_continue,
            keep_alive, self.on_response_complete,
        )  # fmt: skip

    def on_body(self, body: bytes) -> None:
        """Give it to the application."""
        self._coming -= len(body)
        cycle = self.cycle
        if cycle.body or cycle.response_complete:
            super().on_body(body)
            return
        cycle.body = body  # type: ignore[assignment]  # uvicorn would copy it, twice
        if len(body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application, also of what it has not begun."""
        super().connection_lost(exc)
        if self._unbegun:
            self._begin_task(self._unbegun)
