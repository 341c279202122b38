"""All connections of one server: what they share, how many there may be, and the sweep."""

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

from uvicorn.server import ServerState

from app.calls import Headers
from app.life import Life
from app.observability.counting import Meter
from app.server.limits import REFUSED, Limits
from app.server.unsent import Unsent
from app.server.writing import Departures

if TYPE_CHECKING:
    from app.server.protocol import Protocol

_PERIOD = 0.25  # seconds from one look at every connection to the next
_ASLEEP = 1.0  # seconds that a look comes too late, for which nobody but we are to blame
_SHARE = 30  # times as long as a look is the pause after it, when there are very many
_TURN_SECONDS = 0.001  # of a turn of the loop that go to requests that are answered at once
_COUNT_SECONDS = 0.005  # for which a count of those who wait is good enough
_CROWDED = 0.9  # of the connections that there may be


class Connections:
    """What the connections of one server share.

    Attributes:
        limits: of each connection.
        refused: is told the slug of what was refused before it was a request.
        life: whether every answer from now on is the last one of its connection.
        unsent: answers that their clients have not taken.
        departures: answers that are about to be sent.
    """

    def __init__(self, limits: Limits, meter: Meter, life: Life) -> None:
        self.limits = limits
        self.life = life
        self.refused = meter.refused
        self.departures = Departures()
        self.unsent = Unsent(limits.unsent_bytes, meter.cut)
        self._crowded = limits.when_crowded()
        self._state: ServerState | None = None
        self._counted, self._backlog = 0.0, 0
        self._timer: asyncio.TimerHandle | None = None
        self._turn: float | None = None  # when this turn of the loop began to answer
        self._full = False  # whether as many wait as may, in this turn
        self._always: tuple[Headers, bytes] = ([], b"")
        self._due = 0.0  # monotonic, of the next look
        self._slept = 0.0  # seconds

    def welcome(self, newcomer: "Protocol") -> None:
        """Keep an eye on it; or send it away, where there are too many."""
        if self._timer is None:
            self._due, self._state = time.monotonic(), newcomer.server_state
            self._sweep(newcomer.loop, newcomer.connections)
        excess = len(newcomer.connections) - self.limits.connections
        if excess > REFUSED:
            newcomer.transport.abort()
        elif excess > 0:
            newcomer.send_away(self.limits.connections)

    def lines(self, headers: Headers) -> bytes:
        """The headers of every answer as they are sent. uvicorn makes a list of them a second."""
        if headers is not self._always[0]:
            self._always = headers, b"".join(b"%b: %b\r\n" % header for header in headers)
        return self._always[1]

    def is_late(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether those who are answered at once keep others waiting.

        Then requests become tasks, which can be counted, until there are as many as may wait: those
        that come after them are refused, and that again at once.
        """
        now = time.monotonic()
        if self._turn is None:
            self._turn = now
            loop.call_soon(self._end_turn)
            return False
        late = now - self._turn > _TURN_SECONDS and self._state is not None
        self._full = late and len(cast("ServerState", self._state).tasks) >= self.limits.backlog
        return late and not self._full

    def _end_turn(self) -> None:
        self._turn, self._full = None, False

    def now(self) -> float:
        """Seconds of a clock that stands still while this process does, or its whole machine.

        What arrived meanwhile is read only after the look at deadlines, which would all be over.
        """
        return time.monotonic() - self._slept

    def backlog(self) -> int:
        """Requests that have arrived whole and are not answered; too many, while they are few.

        Those whose bodies still arrive do not count: how long that takes is up to their clients.
        """
        state = self._state
        if self._full:
            return self.limits.backlog + 1
        if state is None or len(state.tasks) <= self.limits.backlog:
            return 0 if state is None else len(state.tasks)
        now, connections = time.monotonic(), cast("set[Any]", state.connections)  # Any: uvicorn's
        self._backlog -= 1  # who asks is about to be answered, one way or the other
        if now - self._counted > _COUNT_SECONDS:
            self._counted = now
            self._backlog = sum(_is_waiting(one.cycle) for one in connections)
        return self._backlog

    def _sweep(self, loop: asyncio.AbstractEventLoop, everyone: set[Any]) -> None:  # Any: uvicorn's
        """Look at every connection, and come again while there are some."""
        began = time.monotonic()
        if began - self._due > _ASLEEP:
            self._slept += began - self._due
        now = self.now()
        crowded = len(everyone) > _CROWDED * self.limits.connections
        limits = self._crowded if crowded else self.limits
        try:
            for one in tuple(everyone):
                one.look(now, limits)
        finally:  # whatever failed, deadlines must not end
            ended = time.monotonic()
            pause = max(_PERIOD, _SHARE * (ended - began))
            self._due = ended + pause
            self._timer = loop.call_later(pause, self._sweep, loop, everyone) if everyone else None


def _is_waiting(cycle: Any) -> bool:  # Any: uvicorn's request
    """Whether a connection's last request is whole, and not answered."""
    return cycle is not None and not cycle.more_body and not cycle.response_complete
