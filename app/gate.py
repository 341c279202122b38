"""What every request passes on its way to a handler, and its answer on the way back."""

import logging
from typing import Any, Protocol

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.admission import Admission
from app.calls import Call
from app.codecs import answers
from app.codecs.replies import lines_of
from app.errors import AppError, describe
from app.observability.counting import Meter
from app.observability.traces import stay_alive
from app.routing import Routes
from app.security import Guard

log = logging.getLogger("softlens")

WHOLE = "softlens.whole"
_NONE: dict[str, Any] = {}  # Any: extensions


class Whole(Protocol):
    """An extension of ASGI: a request that has arrived, and can be answered in one piece."""

    @property
    def body(self) -> bytes:
        """All of it."""

    def answer(self, status: int, lines: bytes, name: str, body: bytes) -> bool:
        """Answer it; False where that cannot be done now.

        Args:
            status: of HTTP.
            lines: headers, each with the end of its line.
            name: what the request is called.
            body: of the answer.
        """


class Gate:
    """The application behind the server: one request in, one answer out, whatever happens."""

    def __init__(self, routes: Routes, guard: Guard, admission: Admission, meter: Meter) -> None:
        self._routes = routes
        self._guard = guard
        self._admission = admission
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] == "lifespan":
            await stay_alive(receive, send)
            return
        call = Call(scope, receive, self._admission)
        whole: Whole | None = scope.get("extensions", _NONE).get(WHOLE)
        if whole is not None:
            call.arrived = whole.body
        try:
            answer = await self._answer(call)
        except ClientDisconnect:
            self._meter.left()
            return  # before its body was whole: no answer would be read, and nothing is our fault
        except Exception as error:
            answer = _refusal(call, error)
        status = answer.status_code
        self._meter.answered(call, status)
        if whole is not None and whole.answer(
            status, lines_of(answer), call.id, bytes(answer.body)
        ):
            return
        headers = [*answer.raw_headers, (b"x-request-id", call.id.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, call: Call) -> Response:
        route, call.path_params = self._routes.find(call.method, call.scope["path"])
        call.route = route.path
        self._guard.admit(call, route.access)
        if route.watches:
            return await route.handler(call)
        self._admission.enter()
        try:
            return await route.handler(call)
        finally:
            self._admission.leave(call.held)


def _refusal(call: Call, error: Exception) -> Response:
    if not isinstance(error, AppError):
        log.error("a bug in answering %s", call.id, exc_info=error)
    problem = describe(error)
    call.refusal = problem.slug
    return answers.refusal(problem, call.scope["path"], call.id)
