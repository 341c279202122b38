"""POST /gradient: any derivative of the network, in float64."""

from fastapi import APIRouter, Request, Response

from app.codecs import answers
from app.codecs.bodies import read_json_body
from app.codecs.questions import decode_gradient
from app.openapi import GRADIENT_ANSWER, GRADIENT_REQUEST, operation
from app.service import Service


def router(service: Service) -> APIRouter:
    """The routes, answering from `service`."""

    async def gradient(request: Request) -> Response:
        """How one node moves with another; by default dp_i/dz_j = p_i (delta_ij - p_j), per row."""
        served = service.model(request.path_params)
        body = await read_json_body(request, service.max_body_bytes)
        question = decode_gradient(body, service.limits)
        found = service.derivative(served, question)
        asked = served if question.given == "inputs" else None
        return answers.derivative(asked, found)

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
    return routes
