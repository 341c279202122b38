"""create_app: load, wire, return."""

import asyncio
import copy
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app import openapi
from app.access import Access
from app.admission import Admission, Room
from app.calls import Call
from app.check_schemas import check_examples
from app.codecs import answers
from app.codecs.replies import Reply
from app.codecs.rows import Limits
from app.entrance import guard_of, share
from app.gate import WHOLE, Gate
from app.observability import traces
from app.observability.board import Board, open_board
from app.observability.counting import Meter
from app.observability.exposition import Exposition
from app.observability.layout import Layout
from app.observability.lines import is_json
from app.observability.requests import RequestLog
from app.operations import Route, add_route
from app.repository import load_repository
from app.routes import gradient, health, models, open_inference, pages, platforms, predict
from app.routing import Routes, methods_of
from app.security import Guard
from app.service import Service
from app.settings import Settings
from app.sharing import SharingGate
from app.turns import in_a_task
from model import __version__

SUMMARY = "A softmax classifier you can see through: class probabilities, and their gradients."


class Application(FastAPI):
    """FastAPI, which knows and describes the routes, and a gate behind it that answers them.

    docs/decisions/0010-the-way-of-a-request.md has the reason.
    """

    def __init__(
        self,
        service: Service,
        routers: tuple[APIRouter, ...],
        guard: Guard,
        board: Board,
        log: RequestLog,
        *,
        sharing: bool,
    ) -> None:
        wanted = traces.are_wanted()
        super().__init__(
            telemetry={"tracing": wanted, "metrics": wanted, "logs": wanted},
            title="softlens",
            version=__version__,
            description=SUMMARY,
            openapi_tags=openapi.HEADINGS,
            docs_url=None,
            redoc_url=None,
            openapi_url=None,
        )
        self.service = service
        self.guard = guard
        self.router.route_class = Route
        add_route(
            self.router,
            "GET",
            "/openapi.json",
            self._reference,
            Access.OPEN,
            include_in_schema=False,
        )
        add_route(
            self.router, "GET", "/metrics", self._metrics, Access.METRICS, include_in_schema=False
        )
        # Included as routers, FastAPI would make every route anew.
        for router in routers:
            self.router.routes.extend(router.routes)
        routes = [route for route in self.router.routes if isinstance(route, Route)]
        layout = Layout((route.path, methods_of(route)) for route in routes)
        self.meter = Meter(layout, board, log)
        self.exposition = Exposition(layout, board, service.repository)
        service.repository.reloaded = self.meter.reloaded
        gate = SharingGate if sharing else Gate
        self._gate = gate(Routes(routes), guard, service.admission, self.meter)
        service.admission.watcher = self.meter
        self._traced = wanted
        # Of its own: whoever watches wants to know most of all when those for work are busy.
        self._scribe = ThreadPoolExecutor(1, thread_name_prefix="metrics")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Straight to the gate, unless something is around it (ASGI)."""
        await self.entry(scope, receive, send)

    @property
    def entry(self) -> ASGIApp:
        """What answers: the gate, or what is around it."""
        return self._around if self._traced or self.user_middleware else self._gate

    async def _around(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Through FastAPI's stack, which wants to see what is sent, and a task (ASGI)."""
        scope.get("extensions", {}).pop(WHOLE, None)
        await in_a_task()
        await super().__call__(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """What was added by `add_middleware`, around the gate."""
        app: ASGIApp = self._gate
        for kind, args, options in reversed(self.user_middleware):
            app = kind(app, *args, **options)
        return app

    async def _metrics(self, call: Call) -> Response:
        self.meter.settle()
        self.meter.confidence.flush()
        written = partial(self.exposition.written, call.text(b"accept"))
        await in_a_task()
        loop = asyncio.get_running_loop()
        text, media_type = await loop.run_in_executor(self._scribe, written)
        return Reply(text, media_type.encode())

    async def _reference(self, call: Call) -> Response:
        may_predict = Access.PREDICT in call.scopes
        return answers.json_response(self.openapi() if may_predict else self._plain())

    def _plain(self) -> dict[str, Any]:  # Any: JSON
        """The API reference, without a word about any model."""
        document = copy.deepcopy(super().openapi())
        if self.guard.keys is not None:
            openapi.ask_for_keys(document)
        return document

    def openapi(self) -> dict[str, Any]:  # Any: JSON
        """The API reference, with examples that fit the default model of the moment."""
        document = self._plain()
        now = self.service.repository.snapshot
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


def create_app(settings: Settings, board: Board | None = None) -> Application:
    """The application, its models loaded and verified.

    Args:
        settings: of the operator.
        board: where it counts; one of its own, unless it is one of several workers.

    Raises:
        ArtifactError: a model is not sound.
        OSError: it is missing or cannot be read.
        StartError: the keys are of no use.
    """
    guard = guard_of(settings)
    repository = load_repository(_models(settings), settings.model_policy)
    service = Service(repository, _limits(settings), Admission(_room(settings)))

    routers = (
        *_platforms(service, settings),  # first: their paths may be told to be ours
        predict.router(service),
        open_inference.router(service, gradient=settings.debug, control=settings.model_control),
        *([gradient.router(service)] if settings.debug else []),
        models.router(service),
        health.router(service),
        pages.router(settings.debug),
    )
    app = Application(
        service,
        routers,
        guard,
        board or open_board(),
        _request_log(settings),
        sharing=bool(settings.cors_origins),
    )
    share(app, settings)
    return app


def _request_log(settings: Settings) -> RequestLog:
    return RequestLog(
        settings.request_log,
        settings.request_log_per_second,
        as_json=is_json(settings.log_format),
        failures_only=settings.log_level in {"warning", "error"},
    )


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


def _room(settings: Settings) -> Room:
    return Room(
        settings.max_requests,
        settings.max_backlog,
        settings.max_waiting,
        settings.max_waiting_bytes,
        settings.work_threads,
        settings.deadline_seconds,
    )


def _models(settings: Settings) -> Path:
    """What to serve: the operator's models, or the shipped one where there are none."""
    asked = "models" in settings.model_fields_set
    if asked or settings.models.exists():
        return settings.models
    if settings.shipped_model is None:
        raise FileNotFoundError("no model to serve: set SOFTLENS_MODELS to an .npz or a folder")
    return settings.shipped_model
