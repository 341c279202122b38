"""The real application asked in this process, without a socket: for thousands of exchanges.

What the application raises comes out here, so that a bug shows its own traceback.
"""

import asyncio
from typing import Any, NamedTuple

from fastapi import FastAPI


class Exchange(NamedTuple):
    """An answer as the server would have sent it."""

    status: int
    headers: dict[str, str]
    content: bytes


class Inside:
    """An application and the loop it runs in."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop()

    def close(self) -> None:
        """End the loop and the threads it started."""
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def ask(self, method: str, path: str, body: bytes, **headers: str) -> Exchange:
        """One request and its answer."""
        return self.loop.run_until_complete(self._ask(method, path, body, headers))

    async def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Exchange:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [
                (b"host", b"localhost"),
                *((name.replace("_", "-").encode(), headers[name].encode()) for name in headers),
            ],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
        }  # fmt: skip
        sent: list[dict[str, Any]] = []  # Any: what ASGI has in its messages
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if asked:
                await asyncio.Event().wait()  # a client that waits for its answer
            asked = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start = sent[0]
        found = {key.decode(): value.decode() for key, value in start["headers"]}
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return Exchange(start["status"], found, content)
