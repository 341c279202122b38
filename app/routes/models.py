"""GET /models: what is served."""

from fastapi import APIRouter, Request, Response

from app.codecs.answers import json_response, model_card
from app.operations import parameters
from app.repository import Served, Snapshot
from app.service import Service


def router(service: Service) -> APIRouter:
    """The routes, answering from `service`."""
    routes = APIRouter(tags=["models"])
    repository = service.repository

    @routes.get("/models", response_class=Response, summary="All models")
    async def models() -> Response:
        """Every version of every model: names, shapes, classes, features, metrics, hash.

        `unserved` lists the files that are not what answers, each with its reason.
        """
        now = repository.snapshot
        unserved = [entry._asdict() for entry in now.index() if entry.reason]
        return json_response(
            {"models": [_card(served, now) for served in now.all()], "unserved": unserved}
        )

    @routes.get(
        "/models/{name}",
        response_class=Response,
        summary="One model",
        openapi_extra=parameters("/models/{name}"),
    )
    async def model(request: Request) -> Response:
        """The version of a model that answers by default."""
        now = repository.snapshot
        return json_response(_card(now.find(request.path_params["name"]), now))

    return routes


def _card(served: Served, now: Snapshot) -> dict[str, object]:
    versions = [other.version for other in now.versions(served.name)]
    return model_card(served, versions, default=served is now.default)
