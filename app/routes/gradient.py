"""Under /gradient: any derivative, every intermediate, problems to solve and their verdicts."""

from dataclasses import dataclass

from fastapi import APIRouter, Response

from app.access import Access
from app.calls import Call
from app.check_schemas import CHECK_ANSWER, CHECK_REQUEST, PROBE_OPERATION
from app.codecs import answers
from app.codecs.bodies import read_json_body
from app.codecs.checks import decode_check, read_query
from app.codecs.questions import AttributionQuestion, decode_gradient, decode_trace
from app.openapi import (
    GRADIENT_ANSWER,
    GRADIENT_REQUEST,
    TRACE_ANSWER,
    TRACE_REQUEST,
)
from app.operations import Operation, add_operation, add_route
from app.operations import router as routes_under
from app.service import Service

GRADIENT = Operation(
    "gradient",
    "/gradient",
    "Any derivative",
    GRADIENT_REQUEST,
    GRADIENT_ANSWER,
    Access.DEBUG,
)
CHECK = Operation(
    "check",
    "/gradient/check",
    "A verdict on your own gradient",
    CHECK_REQUEST,
    CHECK_ANSWER,
    Access.DEBUG,
)
TRACE = Operation(
    "trace",
    "/gradient/trace",
    "Every intermediate",
    TRACE_REQUEST,
    TRACE_ANSWER,
    Access.DEBUG,
)


def router(service: Service) -> APIRouter:
    """The routes, answering from `service`."""
    ask, routes = _Handlers(service), routes_under("gradient")
    add_operation(routes, GRADIENT, ask.gradient)
    add_operation(routes, TRACE, ask.trace)
    add_operation(routes, CHECK, ask.check)
    add_route(
        routes,
        "GET",
        "/gradient/probe",
        ask.probe,
        Access.DEBUG,
        summary="A problem to check your own gradients with",
        operation_id="probe",
        openapi_extra=PROBE_OPERATION,
    )
    return routes


@dataclass(frozen=True)
class _Handlers:
    """All work in threads: a short question may have an answer of a million numbers."""

    service: Service

    async def gradient(self, call: Call) -> Response:
        """How one node moves with another; by default dp_i/dz_j = p_i (delta_ij - p_j), per row."""
        service, served = self.service, self.service.model(call.path_params)
        body = await read_json_body(call, service.limits.body_bytes)

        def answer() -> Response:
            with service.counted(call, served) as run:
                question = decode_gradient(body, service.limits)
                if isinstance(question, AttributionQuestion):
                    return answers.attributions(served, service.attributions(run, question))
                found = service.derivative(run, question)
                return answers.derivative(served if question.given == "inputs" else None, found)

        return await service.admission.work(answer)

    async def trace(self, call: Call) -> Response:
        """Every tensor of a forward and a backward pass, with the equation that makes it."""
        service, served = self.service, self.service.model(call.path_params)
        body = await read_json_body(call, service.limits.body_bytes)

        def answer() -> Response:
            with service.counted(call, served) as run:
                question = decode_trace(body, service.limits)
                return answers.trace(served, service.tensors(run, question))

        return await service.admission.work(answer)

    async def check(self, call: Call) -> Response:
        """Whether a gradient of your own is right, and if not, which mistake you made and where."""
        service, served = self.service, self.service.model(call.path_params)
        body = await read_json_body(call, service.limits.body_bytes)

        def verdict() -> Response:
            with service.counted(call, served) as run:
                question = decode_check(body, service.limits)
                report = service.check(run, question)
                return answers.verdict(served if question.served else None, report)

        return await service.admission.work(verdict)

    async def probe(self, call: Call) -> Response:
        """A problem made by level and seed alone: arrays, and the gradients wanted of you."""
        asked = read_query(call.asked())
        return answers.probe(self.service.probe(*asked))
