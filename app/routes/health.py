"""GET /livez, /readyz, /healthz: for load balancers and orchestrators."""

from fastapi import APIRouter, Response

from app.codecs.answers import json_response
from app.service import Service


def router(service: Service) -> APIRouter:
    """The routes. They exist only once the models are loaded, verified and self-tested."""
    routes = APIRouter(tags=["health"])

    @routes.get("/livez", response_class=Response, summary="Up?")
    async def livez() -> Response:
        """The process is up."""
        return json_response({"status": "ok"})

    @routes.get("/healthz", response_class=Response, summary="Up? (older name)")
    async def healthz() -> Response:
        """The process is up; the older name of /livez."""
        return json_response({"status": "ok"})

    @routes.get("/readyz", response_class=Response, summary="Ready?")
    async def readyz() -> Response:
        """Models are loaded and requests are welcome."""
        service.check_ready("GET /models")
        return json_response({"status": "ready"})

    # Some load balancers ask with HEAD.
    for path, answer in {"/livez": livez, "/healthz": healthz, "/readyz": readyz}.items():
        routes.add_api_route(path, answer, methods=["HEAD"], include_in_schema=False)
    return routes
