"""When a connection has taken too long.

Requests set no timers and read no clock. A sweep looks at every connection from time to time and
notes since when it has been where it is, so a deadline is kept to two looks.
"""

from enum import Enum
from typing import Any, NamedTuple

from app.server.limits import Limits

_STEP = 65_536  # bytes of an answer: a client that takes fewer does not get on


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


def place_of(connection: Any, requests: int, pieces: int) -> Place:
    """Where a connection is.

    Args:
        connection: a Protocol. Any: that module imports this one.
        requests: of it, whose heads are whole.
        pieces: in which the bodies of these have come.
    """
    cycle, flow, transport = connection.cycle, connection.flow, connection.transport
    if flow.write_paused or transport.is_closing():
        unsent = transport.get_write_buffer_size()
        if transport.lingering and not unsent:
            return Place(Stage.LINGERING, requests)
        return Place(Stage.WRITING, requests, unsent // _STEP)
    if cycle is None or cycle.response_complete:
        scope = connection.scope
        if scope is not None and (cycle is None or cycle.scope is not scope):
            return Place(Stage.HEAD, requests + 1)
        return Place(Stage.IDLE, requests) if requests else Place(Stage.SILENT, 1)
    if cycle.more_body and not (connection.pipeline or flow.read_paused):
        return Place(Stage.BODY, requests, pieces)
    return Place(Stage.ANSWERING, requests)


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
