"""GET /livez, /readyz, /healthz: for load balancers and orchestrators."""

from fastapi import APIRouter, Response

from app.access import Access
from app.calls import Call
from app.codecs.answers import json_response
from app.operations import add_route
from app.operations import router as routes_under
from app.service import Service


def router(service: Service) -> APIRouter:
    """The routes. They exist only once the models are loaded, verified and self-tested."""

    async def livez(_call: Call) -> Response:
        """The process is up."""
        return json_response({"status": "ok"})

    async def readyz(_call: Call) -> Response:
        """Models are loaded and requests are welcome."""
        service.check_ready("GET /models")
        return json_response({"status": "ready"})

    routes = routes_under("health")
    for path, handler, summary in (
        ("/livez", livez, "Up?"),
        ("/healthz", livez, "Up? (older name)"),
        ("/readyz", readyz, "Ready?"),
    ):
        add_route(routes, "GET", path, handler, Access.HEALTH, summary=summary)
    return routes
