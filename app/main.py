"""create_app: load, wire, return."""

import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Match, Route

from app import openapi
from app.check_schemas import check_examples
from app.codecs import answers
from app.codecs.rows import Limits
from app.errors import AppError, Asked, Problem, describe, under_open_inference
from app.repository import load_repository
from app.routes import gradient, health, models, open_inference, pages, platforms, predict
from app.service import Service
from app.settings import Settings
from model import __version__

_OTHER_PROTOCOLS = ("/v2/", "/v1/", "/invocations/", "/ping/")  # whose clients read `error`
SUMMARY = "A softmax classifier you can see through: class probabilities, and their gradients."


def create_app(settings: Settings) -> FastAPI:
    """The application, its models loaded and verified.

    Raises:
        ArtifactError: a model is not sound.
        OSError: it is missing or cannot be read.
    """
    repository = load_repository(_models(settings), settings.model_policy)
    service = Service(repository, _limits(settings))

    app = FastAPI(
        title="softlens",
        version=__version__,
        description=SUMMARY,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    routers = (
        *_platforms(service, settings),  # first: their paths may be told to be ours
        predict.router(service),
        open_inference.router(service, gradient=settings.debug, control=settings.model_control),
        *([gradient.router(service)] if settings.debug else []),
        models.router(service),
        health.router(service),
        pages.router(settings.debug),
    )
    # Included as routers, each request would be matched against every one of them twice.
    for router in routers:
        app.router.routes.extend(router.routes)
    for kind in (AppError, HTTPException, Exception):
        app.add_exception_handler(kind, partial(_answer_error, app.routes))
    app.add_exception_handler(ClientDisconnect, _answer_nobody)
    app.openapi = partial(_reference, app, app.openapi)  # type: ignore[method-assign]  # FastAPI's way
    return app


def _platforms(service: Service, settings: Settings) -> list[APIRouter]:
    if not settings.platforms:
        return []
    health, predicting = settings.health_route or "", settings.predict_route or ""
    return [platforms.router(service, explain=settings.debug, health=health, predict=predicting)]


def _limits(settings: Settings) -> Limits:
    return Limits(
        settings.max_body_bytes,
        settings.max_rows,
        settings.max_cells,
        settings.max_result_numbers,
        settings.max_check_numbers,
    )


def _models(settings: Settings) -> Path:
    """What to serve: the operator's models, or the shipped one where there are none."""
    asked = "models" in settings.model_fields_set
    if asked or settings.models.exists():
        return settings.models
    if settings.shipped_model is None:
        raise FileNotFoundError("no model to serve: set SOFTLENS_MODELS to an .npz or a folder")
    return settings.shipped_model


async def _answer_nobody(_request: Request, _error: Exception) -> Response:
    """The client left before its body was whole: no answer is read, and nothing is our fault."""
    return Response()


async def _answer_error(
    routes: Sequence[BaseRoute], request: Request, error: Exception
) -> Response:
    return refusal(describe(error, _asked(routes, request)), request.scope["path"])


def refusal(problem: Problem, path: str) -> Response:
    """The answer that tells a problem, in the form that clients of the path read."""
    instance = f"urn:uuid:{uuid.uuid4()}"
    if f"{path}/".startswith(_OTHER_PROTOCOLS):
        return answers.open_inference_error(under_open_inference(problem), instance)
    return answers.problem(problem, instance)


def _asked(routes: Sequence[BaseRoute], request: Request) -> Asked:
    known = [route for route in routes if isinstance(route, Route)]
    methods = {
        method
        for route in known
        if route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    paths = [route.path for route in known]
    return Asked(request.method, request.url.path, sorted(methods), paths)


def _reference(app: FastAPI, generate: Any) -> dict[str, Any]:  # Any: FastAPI's own, and JSON
    """FastAPI's OpenAPI document, with examples that fit the default model of the moment."""
    document: dict[str, Any] = generate()
    now = app.state.service.repository.snapshot
    if not now.all():
        return document
    classifier = now.default.classifier
    for path, examples in {
        "/predict": openapi.predict_examples(classifier),
        "/gradient": openapi.gradient_examples(classifier),
        "/gradient/trace": openapi.trace_examples(classifier),
        "/gradient/check": check_examples(),
    }.items():
        if path not in document["paths"]:
            continue  # switched off
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        body["examples"] = examples
    return document
