"""GET /models: what is served."""

from fastapi import APIRouter, Request, Response

from app.codecs.answers import json_response, model_card
from app.operations import parameters
from app.repository import Served
from app.service import Service


def router(service: Service) -> APIRouter:
    """The routes, answering from `service`."""
    routes = APIRouter(tags=["models"])
    repository = service.repository

    def card(served: Served) -> dict[str, object]:
        versions = [other.version for other in repository.versions(served.name)]
        return model_card(served, versions, default=served is repository.default)

    @routes.get("/models", response_class=Response, summary="All models")
    async def models() -> Response:
        """Every version of every model: names, shapes, classes, features, metrics, hash."""
        return json_response({"models": [card(served) for served in repository.all()]})

    @routes.get(
        "/models/{name}",
        response_class=Response,
        summary="One model",
        openapi_extra=parameters("/models/{name}"),
    )
    async def model(request: Request) -> Response:
        """The version of a model that answers by default."""
        return json_response(card(service.model(request.path_params)))

    return routes
