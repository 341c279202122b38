"""All connections of one server: what they share, how many there may be, and the sweep."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.life import Life
from app.server.limits import REFUSED, Limits

if TYPE_CHECKING:
    from app.server.protocol import Protocol

_PERIOD = 0.25  # seconds from one look at every connection to the next
_SHARE = 30  # times as long as a look is the pause after it, when there are very many
_CROWDED = 0.9  # of the connections that there may be


class Connections:
    """What the connections of one server share.

    Attributes:
        limits: of each connection.
        refused: is told the slug of what was refused before it was a request.
        life: whether every answer from now on is the last one of its connection.
    """

    def __init__(self, limits: Limits, refused: Callable[[str], None], life: Life) -> None:
        self.limits = limits
        self.life = life
        self.refused = refused
        self._crowded = limits.when_crowded()
        self._timer: asyncio.TimerHandle | None = None

    def welcome(self, newcomer: "Protocol") -> None:
        """Keep an eye on it; or send it away, where there are too many."""
        if self._timer is None:
            self._sweep(newcomer.loop, newcomer.connections)
        excess = len(newcomer.connections) - self.limits.connections
        if excess > REFUSED:
            newcomer.transport.abort()
        elif excess > 0:
            newcomer.send_away(self.limits.connections)

    def _sweep(self, loop: asyncio.AbstractEventLoop, everyone: set[Any]) -> None:  # Any: uvicorn's
        """Look at every connection, and come again while there are some."""
        now = time.monotonic()
        crowded = len(everyone) > _CROWDED * self.limits.connections
        limits = self._crowded if crowded else self.limits
        try:
            for one in tuple(everyone):
                one.look(now, limits)
        finally:  # whatever failed, deadlines must not end
            pause = max(_PERIOD, _SHARE * (time.monotonic() - now))
            self._timer = loop.call_later(pause, self._sweep, loop, everyone) if everyone else None
