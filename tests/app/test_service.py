from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.types import Message

from app.admission import Admission, Room
from app.calls import Call
from app.codecs.inference import Inference, Wanted
from app.codecs.rows import Batch, Limits
from app.errors import RequestError
from app.repository import load_repository
from app.service import Service
from model import save_artifact
from tests.model.artifacts import make_artifact


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


CALL = Call({"type": "http", "headers": []}, _nothing, Admission(Room()))
ROWS = {"inputs": [[1.0, 2.0, 3.0, 4.0], [0.5, -1.0, 0.0, 2.0]]}


@pytest.fixture
def service(rng: np.random.Generator, tmp_path: Path) -> Service:
    save_artifact(tmp_path / "m.npz", make_artifact(rng, scale=1e-3))
    return Service(load_repository(tmp_path / "m.npz"), Limits(), Admission(Room()))


def test_logits_beyond_float32_are_refused_and_their_probabilities_are_not(
    service: Service,
) -> None:
    batch = Batch(np.full((1, 4), 3e38), "inputs", flat=False)

    with service.counted(CALL, service.model({})) as run:
        found = service.outputs(run, Inference("", batch, [Wanted("probabilities")]))
        with pytest.raises(RequestError, match="a logit overflows float32"):
            service.outputs(run, Inference("", batch, [Wanted("logits")]))

    assert found["probabilities"].sum() == pytest.approx(1.0)


def test_more_classes_than_may_be_answered_are_refused(service: Service) -> None:
    batch = Batch(np.zeros((3, 4)), "inputs", flat=False)
    service.limits = Limits(result_numbers=5)

    with (
        service.counted(CALL, service.model({})) as run,
        pytest.raises(RequestError, match="3 x 2 = 6 numbers"),
    ):
        service.outputs(run, Inference("", batch, [Wanted("logits", classes=2)]))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", ROWS),
        ("/gradient", ROWS),
        ("/gradient", ROWS | {"attribute": "saliency"}),
        ("/gradient/trace", ROWS | {"labels": [0, 4]}),
        ("/gradient/check", ROWS | {"labels": [0, 4], "candidate": {"db2": [0.0] * 5}}),
    ],
)
def test_every_route_counts_the_rows_and_the_run(
    path: str, body: dict[str, object], client: httpx.Client
) -> None:
    before = stats(client)

    assert client.post(path, json=body).status_code == 200

    after = stats(client)
    assert after["inference_count"] == before["inference_count"] + 2
    assert after["execution_count"] == before["execution_count"] + 1


def test_what_needs_no_model_counts_nowhere(client: httpx.Client) -> None:
    before = stats(client)

    assert client.post("/gradient", json={"logits": [1, 2]}).status_code == 200

    assert stats(client) == before


def test_a_refused_request_counts_as_a_failure(client: httpx.Client) -> None:
    before = stats(client)

    assert client.post("/predict", json={"inputs": [[1]]}).status_code == 422

    after = stats(client)
    failed = after["inference_stats"]["fail"]
    assert failed["count"] == before["inference_stats"]["fail"]["count"] + 1
    assert failed["ns"] > before["inference_stats"]["fail"]["ns"]
    assert after["inference_count"] == before["inference_count"]


def stats(client: httpx.Client) -> Any:  # Any: JSON
    return client.get("/v2/models/fixture/stats").json()["model_stats"][0]
