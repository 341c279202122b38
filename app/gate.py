"""What every request passes on its way to a handler, and its answer on the way back."""

import logging

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.access import Access
from app.admission import Admission
from app.calls import Call
from app.codecs import answers
from app.errors import AppError, describe
from app.observability.counting import Meter
from app.observability.traces import stay_alive
from app.routing import Routes
from app.security import Guard

log = logging.getLogger("softlens")

_WATCHING = frozenset({Access.HEALTH, Access.OPEN, Access.METRICS})  # asked even of the busy


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
        try:
            answer = await self._answer(call)
        except ClientDisconnect:
            self._meter.left()
            return  # before its body was whole: no answer would be read, and nothing is our fault
        except Exception as error:
            answer = _refusal(call, error)
        self._meter.answered(call, answer.status_code)
        headers = [*answer.raw_headers, (b"x-request-id", call.id.encode())]
        await send(
            {"type": "http.response.start", "status": answer.status_code, "headers": headers}
        )
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, call: Call) -> Response:
        route, call.scope["path_params"] = self._routes.find(call.method, call.scope["path"])
        call.route = route.path
        self._guard.admit(call, route.access)
        if route.access in _WATCHING:  # they want to know, most of all now
            return await route.endpoint(call)
        self._admission.enter()
        try:
            return await route.endpoint(call)
        finally:
            self._admission.leave(call.held)


def _refusal(call: Call, error: Exception) -> Response:
    if not isinstance(error, AppError):
        log.error("a bug in answering %s", call.id, exc_info=error)
    problem = describe(error)
    call.refusal = problem.slug
    return answers.refusal(problem, call.scope["path"], call.id)
