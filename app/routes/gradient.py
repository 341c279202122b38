"""POST /gradient: any derivative of the network; /gradient/trace: every intermediate."""

from fastapi import APIRouter, Request, Response

from app.codecs import answers
from app.codecs.bodies import read_json_body
from app.codecs.questions import AttributionQuestion, decode_gradient, decode_trace
from app.openapi import (
    GRADIENT_ANSWER,
    GRADIENT_REQUEST,
    TRACE_ANSWER,
    TRACE_REQUEST,
)
from app.operations import Operation, add_operation
from app.service import Service

GRADIENT = Operation("gradient", "/gradient", "Any derivative", GRADIENT_REQUEST, GRADIENT_ANSWER)
TRACE = Operation("trace", "/gradient/trace", "Every intermediate", TRACE_REQUEST, TRACE_ANSWER)


def router(service: Service) -> APIRouter:
    """The routes, answering from `service`."""

    async def gradient(request: Request) -> Response:
        """How one node moves with another; by default dp_i/dz_j = p_i (delta_ij - p_j), per row."""
        served = service.model(request.path_params)
        body = await read_json_body(request, service.max_body_bytes)
        question = decode_gradient(body, service.limits)
        if isinstance(question, AttributionQuestion):
            return answers.attributions(served, service.attributions(served, question))
        found = service.derivative(served, question)
        asked = served if question.given == "inputs" else None
        return answers.derivative(asked, found)

    async def trace(request: Request) -> Response:
        """Every tensor of a forward and a backward pass, with the equation that makes it."""
        served = service.model(request.path_params)
        body = await read_json_body(request, service.max_body_bytes)
        question = decode_trace(body, service.limits)
        return answers.trace(served, service.tensors(served, question))

    routes = APIRouter(tags=["gradient"])
    add_operation(routes, GRADIENT, gradient)
    add_operation(routes, TRACE, trace)
    return routes
