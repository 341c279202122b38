"""How bytes leave, and when no more are let in.

Headers and body leave in one write: a client that waits to acknowledge the first need not wait.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl


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
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._hang_up = hang_up  # called once; whether the client may still be sending
        self._pieces: list[bytes] = []
        self.lingering = False

    def __getattr__(self, name: str) -> Any:  # Any: whatever a transport has
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send it soon, with whatever follows at once."""
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)

    def write_whole(self, data: bytes) -> None:
        """Send what nothing follows that should leave with it."""
        if self._pieces:
            self._pieces.append(data)
        else:
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self.lingering or self._transport.is_closing()

    def close(self) -> None:
        """Close the connection once everything is sent, and read."""
        if self.is_closing():
            return
        self._flush()
        if self._hang_up():
            self.lingering = True
            self._transport.write_eof()
        else:
            self._transport.close()

    def _flush(self) -> None:
        pieces, self._pieces = self._pieces, []
        if pieces and not self.is_closing():
            self._transport.writelines(pieces)


class Flow(FlowControl):
    """Reading stays paused while requests wait, whatever the one at work asks for."""

    blocked = False

    def block(self) -> None:
        """Read no more."""
        self.blocked = True
        self.pause_reading()

    def resume_reading(self) -> None:
        """Go on, unless that is blocked."""
        if not self.blocked:
            super().resume_reading()
