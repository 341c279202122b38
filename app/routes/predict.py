"""POST /predict: class probabilities."""

from fastapi import APIRouter, Response

from app.access import Access
from app.admission import weight_of
from app.calls import Call
from app.codecs import answers
from app.codecs.bodies import read_json_body
from app.codecs.questions import decode_predict
from app.openapi import PREDICT_ANSWER, PREDICT_REQUEST
from app.operations import Operation, add_operation
from app.operations import router as routes_under
from app.service import Service

PREDICT = Operation(
    "predict", "/predict", "Class probabilities", PREDICT_REQUEST, PREDICT_ANSWER, Access.PREDICT
)


def router(service: Service) -> APIRouter:
    """The routes, answering from `service`."""

    async def predict(call: Call) -> Response:
        """Class probabilities of every posted row, and its likeliest class."""
        served = service.model(call.path_params)
        body = await read_json_body(call, service.limits.body_bytes)

        def answer() -> Response:
            with service.counted(call, served) as run:
                batch = decode_predict(body, served.features, service.limits)
                return answers.prediction(served, service.predict(run, batch))

        return await service.admission.worked(
            weight_of(served.widths, len(body), len(body) // 2), answer
        )

    routes = routes_under("predict")
    add_operation(routes, PREDICT, predict)
    return routes
