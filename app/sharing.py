"""Pages of other origins that may ask: what their browsers ask before them, and are told after."""

from fastapi import Response
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

from app.access import Access
from app.calls import Call
from app.gate import Gate

_READY = "softlens.preflight"  # in the scope: what a browser is told that asks beforehand


class Sharing(CORSMiddleware):
    """Starlette's, which would answer preflights itself: no limit, count or id would be of them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on to the gate (ASGI)."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            headers = Headers(scope=scope)
            if "origin" in headers and "access-control-request-method" in headers:
                scope[_READY] = self.preflight_response(request_headers=headers)
                await self.app(scope, receive, send)
                return
        await super().__call__(scope, receive, send)


class SharingGate(Gate):
    """A gate that lets preflights pass without a key, because browsers send none with them."""

    async def _answer(self, call: Call) -> Response:
        ready: Response | None = call.scope.get(_READY)
        if ready is None:
            return await super()._answer(call)
        self._guard.admit(call, Access.OPEN)
        self._admission.enter()
        self._admission.leave(call.held)
        return ready
