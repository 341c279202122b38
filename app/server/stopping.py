"""uvicorn's server with an end that loses nothing: it drains, then finishes what it accepted.

uvicorn closes its port and all idle connections at once, so that what the system has accepted for
it and requests that are on their way are lost. This module reaches into its internals:
tests/app/server/test_stopping.py says loudly when they change.
"""

import asyncio
import contextlib
import logging
import math
import select
import signal
import socket
import time
from collections.abc import Callable, Generator
from types import FrameType
from typing import Any, NamedTuple

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from app.life import Life
from app.server.listening import refuse_handshakes, waiting
from app.server.orders import Stop

log = logging.getLogger("softlens")

# libuv accepts one connection for each listening socket in a turn of its loop. Under load a turn
# takes milliseconds, and those who come would wait for seconds in front of a single door.
_DOORS = 4
_TICK_SECONDS = 0.05
_HANDSHAKE_SECONDS = 0.1  # for those that have begun when no more may begin
_QUIET_SECONDS = 1.0  # an open connection without a request may still be about to send one
_RETIRING_SECONDS = 5.0  # the same where others serve already, so that nobody waits for the end
_HURRY_SECONDS = 1.0
_FLUSH_SECONDS = 0.5  # for what is told to those that are cut


class Ending(NamedTuple):
    """How the end goes."""

    drain_seconds: float
    shutdown_seconds: float
    cut: Callable[[Scope, Receive, Send], Any]  # an ASGI app: answers what cannot be finished


class State(ServerState):
    """uvicorn's, which all connections share, with what they must know of the end."""

    def __init__(self, life: Life) -> None:
        super().__init__()
        self.life = life


class Server(uvicorn.Server):
    """Being asked to stop is no failure: uvicorn would raise the signal once more."""

    server_state: State

    def __init__(
        self, config: uvicorn.Config, life: Life, ending: Ending, ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self.server_state = State(life)
        self.ending = ending
        self.ready = ready
        self.ordered = Stop.NONE
        self.interrupted = False
        self._latest = math.inf  # monotonic, when to cut because of a hurry
        self._listener: socket.socket | None = None
        self._idle: dict[Any, float] = {}  # connections (uvicorn's protocols), and since when

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and only then say so: from here on requests and signals are handled."""
        if sockets:  # which the loop will close
            self._listener = sockets[0].dup()
            sockets = [*sockets, *(sockets[0].dup() for _ in range(_DOORS - 1))]
        await super().startup(sockets)
        self.ready()

    def order(self, stop: Stop) -> None:
        """End; of several orders the most hurried one counts. A signal handler may call it."""
        if stop == Stop.HURRY > self.ordered:
            self._latest = time.monotonic() + _HURRY_SECONDS
        self.ordered = max(self.ordered, stop)
        self.should_exit = True
        self.server_state.life.end(draining=self.ordered >= Stop.DRAIN)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM drains, Ctrl-C does not wait for that, and whatever comes second hurries."""
        self.interrupted = self.interrupted or sig == signal.SIGINT
        if self.ordered:
            self.order(Stop.HURRY)
        else:
            self.order(Stop.FINISH if sig == signal.SIGINT else Stop.DRAIN)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, accept nothing more, finish."""
        self._end_keep_alive()
        if self.ordered == Stop.RETIRE:
            await self._stop_accepting()
        await self._drain()
        await self._stop_accepting()
        await self._finish()

    def _end_keep_alive(self) -> None:
        """Let the answers to what is there already be the last ones of their connections, too."""
        for connection in self.server_state.connections:
            cycle = _cycle(connection)
            if cycle and not cycle.response_started:
                cycle.keep_alive = False

    async def _drain(self) -> None:
        until = time.monotonic() + self.ending.drain_seconds
        while self.ordered <= Stop.DRAIN and time.monotonic() < until:
            self._note_idle()
            await self._tick()

    async def _stop_accepting(self) -> None:
        listener, self._listener = self._listener, None
        if listener is None:
            return
        if self.ordered == Stop.RETIRE:  # what waits is for the others
            self._close_port(listener)
            return
        refuse_handshakes(listener)
        await asyncio.sleep(_HANDSHAKE_SECONDS)
        self._close_port(None)
        loop, make = asyncio.get_running_loop(), self.config.http_protocol_class
        for accepted in waiting(listener):
            await loop.connect_accepted_socket(
                lambda: make(self.config, self.server_state, self.lifespan.state),  # type: ignore[call-arg]  # as uvicorn calls it
                accepted,
            )
        listener.close()

    def _close_port(self, listener: socket.socket | None) -> None:
        for server in self.servers:
            server.close()
        if listener:
            listener.close()

    async def _finish(self) -> None:
        limit = time.monotonic() + self.ending.shutdown_seconds
        state = self.server_state
        while state.connections or state.tasks:
            if time.monotonic() >= min(limit, self._latest):
                await self._cut()
                return
            self._close_idle()
            await self._tick()

    async def _tick(self) -> None:
        await self.on_tick(0)  # keeps the header Date
        await asyncio.sleep(_TICK_SECONDS)

    def _note_idle(self) -> None:
        """Remember since when each connection has been without a request."""
        now = time.monotonic()
        self._idle = {
            connection: self._idle.get(connection, now)
            for connection in self.server_state.connections
            if _cycle(connection) is None
        }

    def _close_idle(self) -> None:
        """Close what has been quiet for a while, unless a request has just arrived on it."""
        self._note_idle()
        now, patience, poll, found = time.monotonic(), self._patience(), select.poll(), {}
        for connection, since in self._idle.items():
            if now - since >= patience and not connection.transport.is_closing():
                number = connection.transport.get_extra_info("socket").fileno()
                found[number] = connection
                poll.register(number, select.POLLIN)
        readable = {number for number, _ in poll.poll(0)}
        for number in found.keys() - readable:
            found[number].transport.close()

    def _patience(self) -> float:
        """Seconds without a request after which a connection may be closed."""
        if self.ordered == Stop.RETIRE:
            return _RETIRING_SECONDS
        return _QUIET_SECONDS if self.ordered == Stop.DRAIN else 0.0

    async def _cut(self) -> None:
        """Answer for those that cannot be finished, and close everything."""
        connections = list(self.server_state.connections)
        unfinished = [cycle for connection in connections if (cycle := _cycle(connection))]
        if unfinished:
            log.warning("cut %d requests that were not finished in time", len(unfinished))
        answers = [self._answer(cycle) for cycle in unfinished if not cycle.response_started]
        with contextlib.suppress(TimeoutError):  # of those that do not read
            await asyncio.wait_for(asyncio.gather(*answers), _FLUSH_SECONDS)
        for connection in connections:
            connection.transport.close()

        until = time.monotonic() + _FLUSH_SECONDS
        while self.server_state.connections and time.monotonic() < until:
            await asyncio.sleep(_TICK_SECONDS)
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def _answer(self, cycle: Any) -> None:  # Any: uvicorn's request
        await self.ending.cut(cycle.scope, cycle.receive, cycle.send)
        cycle.disconnected = True  # what its own task still does is for nobody

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Handle signals while it runs, and forget them afterwards."""
        with super().capture_signals():
            try:
                yield
            finally:
                self._captured_signals.clear()


def _cycle(connection: Any) -> Any:  # Any: uvicorn's protocol, and its request
    """The request that a connection has not answered yet, if there is one."""
    cycle = connection.cycle
    return None if cycle is None or cycle.response_complete else cycle
