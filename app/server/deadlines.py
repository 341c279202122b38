"""When a connection has taken too long.

Requests set no timers and read no clock. A sweep looks at every connection from time to time and
notes since when it has been where it is, so a deadline is kept to two looks.
"""

from enum import Enum
from typing import NamedTuple

from app.server.limits import Limits


class Stage(Enum):
    """Where a connection is, and the field of Limits that tells how long it may be there."""

    SILENT = "silent_seconds"  # nothing was ever sent
    HEAD = "header_seconds"  # part of a head has arrived
    BODY = "body_seconds"  # part of a body has arrived
    ANSWERING = ""  # it is our turn
    WRITING = "write_seconds"  # an answer waits to be taken
    IDLE = "keep_alive_seconds"  # everything is answered, and nothing was sent since
    LINGERING = "linger_seconds"  # refused; what is still sent is thrown away


class Place(NamedTuple):
    """A stage of one request, and how far it has come there."""

    stage: Stage
    request: int  # on this connection, counted from 1
    progress: int = 0  # another number for whatever counts as getting on


class Watch:
    """Since when a connection has been where it is, in seconds of a monotonic clock."""

    __slots__ = ("_begun", "_place", "_since")

    def __init__(self, now: float) -> None:
        self._place = Place(Stage.SILENT, 1)
        self._since = now
        self._begun = now  # when the request began to arrive

    def overdue(self, place: Place, now: float, limits: Limits) -> str | None:
        """The field of `limits` whose time is over, if there is one."""
        if place != self._place:
            self._move(place, now)
        if place.stage is Stage.BODY and now - self._begun >= limits.request_seconds:
            return "request_seconds"
        name = place.stage.value
        if not name or now - self._since < getattr(limits, name):
            return None
        return name

    def _move(self, place: Place, now: float) -> None:
        before, self._place = self._place, place
        if place.request != before.request:
            self._begun = now
        # The first head has to be whole in time, however late its first byte came.
        if not (before.stage is Stage.SILENT and place == (Stage.HEAD, before.request, 0)):
            self._since = now
