"""How bytes leave, and when no more are let in.

Headers and body leave in one write: a client that waits to acknowledge the first need not wait. And
the answers of one turn of the loop leave one behind the other at its end: to write to a client that
sleeps takes several times as long as to one that is awake. docs/decisions/0017-sent-together.md has
the measurements.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl

from app.server.unsent import Unsent

_LARGE = 65_536  # bytes that need not wait for others


class Departures:
    """What is to be sent at the end of this turn of the loop, of all connections of one server."""

    def __init__(self) -> None:
        self._waiting: list[Gathered] = []

    def add(self, one: "Gathered", loop: asyncio.AbstractEventLoop) -> None:
        """Have it flushed then."""
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append(one)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.flush()


class Gathered:
    """A transport that sends in one piece what was written within one turn of the loop.

    It may be closed for writing while what the client still sends is read and thrown away: to close
    it wholly would reset the connection, and the client might never see its answer.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        hang_up: Callable[[], bool],
        unsent: Unsent,
        departures: Departures,
    ) -> None:
        transport.set_write_buffer_limits(0)  # whatever is not sent at once is said to wait
        self._transport = transport
        self._unsent = unsent
        self._departures = departures
        self._loop = loop
        self._hang_up = hang_up  # called once; whether the client may still be sending
        self._pieces: list[bytes] = []
        self.lingering = False

    def __getattr__(self, name: str) -> Any:  # Any: whatever a transport has
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send it soon, with whatever follows at once."""
        if not self._pieces:
            self._departures.add(self, self._loop)
        self._pieces.append(data)
        if len(data) > _LARGE:
            self.flush()

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self.lingering or self._transport.is_closing()

    def close(self) -> None:
        """Close the connection once everything is sent, and read."""
        if self.is_closing():
            return
        self.flush()
        if self._hang_up():
            self.lingering = True
            self._transport.write_eof()
        else:
            self._transport.close()

    def flush(self) -> None:
        """Send it now."""
        pieces, self._pieces = self._pieces, []
        if pieces and not self.is_closing():
            self._transport.writelines(pieces)
            if self._transport.get_write_buffer_size():
                self._unsent.add(self, sum(map(len, pieces)))


class Flow(FlowControl):
    """Reading stays paused while requests or an answer wait, whatever the one at work asks for."""

    blocked = False
    ended = False  # there is nothing more to read; to try is not allowed

    def __init__(
        self,
        transport: Any,  # Any: a Gathered
        unsent: Unsent,
        go_on: Callable[[], None],
    ) -> None:
        super().__init__(transport)
        self._unsent = unsent
        self._go_on = go_on

    def pause_writing(self) -> None:
        """Who does not take his answers is not listened to."""
        super().pause_writing()
        self.pause_reading()

    def resume_writing(self) -> None:
        """Go on: all of an answer that waited has left, or nobody waits for it."""
        if self.write_paused:
            super().resume_writing()
            self._unsent.remove(self._transport)
            self._go_on()

    def block(self) -> None:
        """Read no more."""
        self.blocked = True
        self.pause_reading()

    def resume_reading(self) -> None:
        """Go on, unless that is blocked."""
        if not (self.blocked or self.write_paused or self.ended):
            super().resume_reading()
