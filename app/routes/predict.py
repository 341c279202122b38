"""POST /predict: class probabilities."""

from fastapi import APIRouter, Request, Response

from app.codecs import answers
from app.codecs.bodies import read_json_body
from app.codecs.questions import decode_predict
from app.openapi import PREDICT_ANSWER, PREDICT_REQUEST
from app.operations import Operation, add_operation
from app.service import Service

PREDICT = Operation("predict", "/predict", "Class probabilities", PREDICT_REQUEST, PREDICT_ANSWER)


def router(service: Service) -> APIRouter:
    """The routes, answering from `service`."""

    async def predict(request: Request) -> Response:
        """Class probabilities of every posted row, and its likeliest class."""
        served = service.model(request.path_params)
        body = await read_json_body(request, service.limits.body_bytes)
        with service.counted(served) as run:
            batch = decode_predict(body, served.features, service.limits)
            return answers.prediction(served, service.predict(run, batch))

    routes = APIRouter(tags=["predict"])
    add_operation(routes, PREDICT, predict)
    return routes
