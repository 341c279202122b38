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
    operation,
)
from app.service import Service


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
    for operation_id, path in {
        "gradient": "/gradient",
        "gradient_of_model": "/models/{name}/gradient",
        "gradient_of_version": "/models/{name}/versions/{version}/gradient",
    }.items():
        routes.add_api_route(
            path,
            gradient,
            methods=["POST"],
            summary="Any derivative",
            response_class=Response,
            operation_id=operation_id,
            openapi_extra=operation(path, GRADIENT_REQUEST, GRADIENT_ANSWER),
        )
    for operation_id, path in {
        "trace": "/gradient/trace",
        "trace_of_model": "/models/{name}/gradient/trace",
        "trace_of_version": "/models/{name}/versions/{version}/gradient/trace",
    }.items():
        routes.add_api_route(
            path,
            trace,
            methods=["POST"],
            summary="Every intermediate",
            response_class=Response,
            operation_id=operation_id,
            openapi_extra=operation(path, TRACE_REQUEST, TRACE_ANSWER),
        )
    return routes
