"""GET /models: what is served."""

from fastapi import APIRouter, Response

from app.access import Access
from app.calls import Call
from app.codecs.answers import json_response, model_card
from app.operations import add_route
from app.operations import router as routes_under
from app.repository import Served, Snapshot
from app.service import Service


def router(service: Service) -> APIRouter:
    """The routes, answering from `service`."""
    repository = service.repository

    async def models(_call: Call) -> Response:
        """Every version of every model: names, shapes, classes, features, metrics, hash.

        `unserved` lists the files that are not what answers, each with its reason.
        """
        now = repository.snapshot
        unserved = [entry._asdict() for entry in now.index() if entry.reason]
        return json_response(
            {"models": [_card(served, now) for served in now.all()], "unserved": unserved}
        )

    async def model(call: Call) -> Response:
        """The version of a model that answers by default."""
        now = repository.snapshot
        return json_response(_card(now.find(call.path_params["name"]), now))

    routes = routes_under("models")
    add_route(routes, "GET", "/models", models, Access.PREDICT, summary="All models")
    add_route(routes, "GET", "/models/{name}", model, Access.PREDICT, summary="One model")
    return routes


def _card(served: Served, now: Snapshot) -> dict[str, object]:
    versions = [other.version for other in now.versions(served.name)]
    return model_card(served, versions, default=served is now.default)
