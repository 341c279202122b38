"""Routes of the managed platforms, each a translation to the data plane of /predict.

    POST /v1/models/{name}:predict      KServe v1, TensorFlow Serving, Vertex AI
    POST /v1/models/{name}:explain      KServe v1
    POST /invocations                   SageMaker, MLflow
    GET  /ping                          SageMaker, MLflow

Vertex AI names its own paths: they are settings.
"""

from dataclasses import dataclass

import numpy as np
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.codecs import instances
from app.codecs.answers import json_response
from app.codecs.bodies import read_body
from app.codecs.questions import GradientQuestion
from app.errors import RequestError
from app.operations import add_route
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
    ask, routes = _Handlers(service), APIRouter(tags=["platforms"])
    for path in _MODELS:
        add_route(routes, "POST", f"{path}:predict", ask.predict)
        if explain:
            add_route(routes, "POST", f"{path}:explain", ask.explain)
        add_route(routes, "GET", path, ask.status)
    for path in filter(None, ("/ping", health)):
        add_route(routes, "GET", path, ask.ping)
    for path in filter(None, ("/invocations", predict)):
        add_route(routes, "POST", path, ask.predict)
    return routes


@dataclass(frozen=True)
class _Handlers:
    service: Service

    async def predict(self, request: Request) -> Response:
        """Class probabilities of every instance."""
        service, media_type = self.service, _media_type(request)
        served = service.model(request.path_params)
        body = await read_body(request, service.limits.body_bytes)
        with service.counted(served) as run:
            if media_type == "text/csv":
                # Every cell passes through Python, there and back: not on the event loop.
                batch = await run_in_threadpool(instances.decode_csv, body, service.limits)
                p = service.predict(run, batch)
                return await run_in_threadpool(instances.predictions_csv, p)
            batch = instances.decode_instances(body, served.features, service.limits)
            return instances.predictions(service.predict(run, batch))

    async def explain(self, request: Request) -> Response:
        """How the probability of each instance's likeliest class moves with each feature."""
        service = self.service
        _media_type(request)
        served = service.model(request.path_params)
        body = await read_body(request, service.limits.body_bytes)
        with service.counted(served) as run:
            batch = instances.decode_instances(body, served.features, service.limits)
            likeliest = service.predict(run, batch).argmax(axis=1)
            chosen = np.eye(len(served.classes))[likeliest]
            asked = Question("probabilities", "inputs", "vjp")
            question = GradientQuestion("inputs", batch, asked, chosen, None)
            found = service.derivative(run, question)
        labels = [served.classes[i] for i in likeliest.tolist()]
        return instances.explanations(labels, found.gradient)

    async def status(self, request: Request) -> Response:
        """A model is ready, in the words of KServe and of TensorFlow Serving."""
        served = self.service.model(request.path_params)
        state = {
            "version": served.version,
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
        return json_response({"name": served.name, "ready": True, "model_version_status": [state]})

    async def ping(self, request: Request) -> Response:
        """Models are loaded and requests are welcome."""
        self.service.check_ready("GET /models")
        return json_response({"status": "ready"})


def _media_type(request: Request) -> str:
    """CSV, or JSON for everything else: not every client of these routes names what it sends.

    Raises:
        RequestError: unsupported-media-type, for a body that is compressed.
    """
    if {value.lower() for value in request.headers.getlist("content-encoding")} - {"identity"}:
        raise RequestError("unsupported-media-type", "expected a body without Content-Encoding")
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
