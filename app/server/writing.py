"""Headers and body in one write: a client that waits to acknowledge the first need not wait."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.server.stopping import State


class Protocol(HttpToolsProtocol):
    """uvicorn's, which writes the headers of an answer and its body one after the other."""

    server_state: State

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Gather what is written to the connection."""
        super().connection_made(_Gathered(transport, self.loop))  # type: ignore[arg-type]  # stands in for it

    def on_headers_complete(self) -> None:
        """Let the answer be the last one of its connection where the server is about to end."""
        super().on_headers_complete()
        if self.server_state.life.closing and self.cycle:
            self.cycle.keep_alive = False


class _Gathered:
    """A transport that sends in one piece what was written within one turn of the loop."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:  # Any: whatever a transport has
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send it soon, with whatever follows at once."""
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)

    def close(self) -> None:
        """Close the connection once everything is sent."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        pieces, self._pieces = self._pieces, []
        if pieces:
            self._transport.writelines(pieces)
