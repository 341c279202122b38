"""Routes of the managed platforms, each a translation to the data plane of /predict.

    POST /v1/models/{name}:predict      KServe v1, TensorFlow Serving, Vertex AI
    POST /v1/models/{name}:explain      KServe v1
    POST /invocations                   SageMaker, MLflow
    GET  /ping                          SageMaker, MLflow

Vertex AI names its own paths: they are settings.
"""

import re
from dataclasses import dataclass

import numpy as np
from fastapi import APIRouter, Response
from starlette.routing import BaseRoute

from app.access import Access
from app.admission import weight_of
from app.calls import Call
from app.codecs import instances
from app.codecs.answers import json_response
from app.codecs.bodies import read_body
from app.codecs.compression import packed
from app.codecs.questions import GradientQuestion
from app.operations import Route, add_route
from app.operations import router as routes_under
from app.service import Service
from model.gradients import Question

_MODELS = ("/v1/models/{name}", "/v1/models/{name}/versions/{version}")


def router(service: Service, *, explain: bool, health: str, predict: str) -> APIRouter:
    """The routes, answering from `service`.

    Args:
        service: who computes.
        explain: whether gradients are given.
        health: a path that answers as /ping does; empty for none.
        predict: a path that answers as /invocations does; empty for none.
    """
    ask, routes = _Handlers(service), routes_under("platforms")
    for path in _MODELS:
        add_route(routes, "POST", f"{path}:predict", ask.predict, Access.PREDICT)
        if explain:
            add_route(routes, "POST", f"{path}:explain", ask.explain, Access.DEBUG)
        add_route(routes, "GET", path, ask.status, Access.PREDICT)
        _without_colon(routes.routes[-1])
    for path in filter(None, ("/ping", health)):
        add_route(routes, "GET", path, ask.ping, Access.HEALTH)
    for path in filter(None, ("/invocations", predict)):
        add_route(routes, "POST", path, ask.predict, Access.PREDICT)
    return routes


def _without_colon(route: BaseRoute) -> None:
    """Let no parameter of a path have one: what follows it is something else to be done."""
    assert isinstance(route, Route)  # noqa: S101  for mypy
    route.path_regex = re.compile(route.path_regex.pattern.replace("[^/]+", "[^/:]+"))


@dataclass(frozen=True)
class _Handlers:
    service: Service

    async def predict(self, call: Call) -> Response:
        """Class probabilities of every instance."""
        service, media_type = self.service, _media_type(call)
        served = service.model(call.path_params)
        body = await read_body(call, service.limits.body_bytes)

        def from_csv() -> Response:
            with service.counted(call, served) as run:
                batch = instances.decode_csv(body, service.limits)
                return instances.predictions_csv(service.predict(run, batch))

        def from_json() -> Response:
            with service.counted(call, served) as run:
                batch = instances.decode_instances(body, served.features, service.limits)
                return instances.predictions(service.predict(run, batch))

        if media_type == "text/csv":
            # Every cell passes through Python, there and back: not on the event loop.
            return await service.admission.work(from_csv)
        weight = weight_of(served.widths, len(body), len(body) // 2)
        return await service.admission.worked(weight, from_json)

    async def explain(self, call: Call) -> Response:
        """How the probability of each instance's likeliest class moves with each feature."""
        service = self.service
        _media_type(call)
        served = service.model(call.path_params)
        body = await read_body(call, service.limits.body_bytes)

        def answer() -> Response:
            with service.counted(call, served) as run:
                batch = instances.decode_instances(body, served.features, service.limits)
                likeliest = service.predict(run, batch).argmax(axis=1)
                chosen = np.eye(len(served.classes))[likeliest]
                asked = Question("probabilities", "inputs", "vjp")
                question = GradientQuestion("inputs", batch, asked, chosen, None)
                gradient = service.derivative(run, question).gradient
            labels = [served.classes[i] for i in likeliest.tolist()]
            return instances.explanations(labels, gradient)

        return await service.admission.work(answer)

    async def status(self, call: Call) -> Response:
        """A model is ready, in the words of KServe and of TensorFlow Serving."""
        served = self.service.model(call.path_params)
        state = {
            "version": served.version,
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
        return json_response({"name": served.name, "ready": True, "model_version_status": [state]})

    async def ping(self, call: Call) -> Response:
        """Models are loaded and requests are welcome."""
        self.service.check_ready("GET /models")
        return json_response({"status": "ready"})


def _media_type(call: Call) -> str:
    """CSV, or JSON for everything else: not every client of these routes names what it sends.

    Raises:
        MediaError: for a body that is compressed.
    """
    if {value.lower() for value in call.fields(b"content-encoding")} - {b"identity"}:
        raise packed()
    return call.text(b"content-type").partition(";")[0].strip().lower()
