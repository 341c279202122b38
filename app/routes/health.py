"""GET /livez, /readyz, /healthz: for load balancers and orchestrators."""

from fastapi import APIRouter, Response

from app.calls import Call
from app.codecs.answers import json_response
from app.errors import NotReadyError
from app.operations import Access, add_route
from app.operations import router as routes_under
from app.repository import Repository


def router(repository: Repository) -> APIRouter:
    """The routes. They exist only once the models are loaded, verified and self-tested."""

    async def livez(_call: Call) -> Response:
        """The process is up."""
        return json_response({"status": "ok"})

    async def readyz(_call: Call) -> Response:
        """Models are loaded and requests are welcome."""
        if not repository.all():
            raise NotReadyError("no model is loaded; GET /models tells why")
        return json_response({"status": "ready"})

    routes = routes_under("health")
    for path, handler, summary in (
        ("/livez", livez, "Up?"),
        ("/healthz", livez, "Up? (older name)"),
        ("/readyz", readyz, "Ready?"),
    ):
        add_route(routes, "GET", path, handler, Access.OPEN, summary=summary)
    return routes
