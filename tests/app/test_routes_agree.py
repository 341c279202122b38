"""One batch, posted to every route that predicts: the same probabilities, bit for bit."""

from collections.abc import Callable

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.app.open_inference.asking import INFER, in_binary, in_json, infer, numbers

Batch = NDArray[np.float32]
Ask = Callable[[httpx.Client, Batch], Batch]


def predict(client: httpx.Client, x: Batch) -> Batch:
    answer = client.post("/predict", json={"inputs": x.tolist()})
    return np.array(answer.json()["probabilities"], np.float32)


def predict_records(client: httpx.Client, x: Batch) -> Batch:
    records = [{f"feature_{i}": value for i, value in enumerate(row)} for row in x.tolist()]
    answer = client.post("/predict", json={"records": records})
    return np.array(answer.json()["probabilities"], np.float32)


def nested(client: httpx.Client, x: Batch) -> Batch:
    body = in_json(x)
    body["inputs"][0]["data"] = x.tolist()
    return numbers(infer(client, body))


def raw(client: httpx.Client, x: Batch) -> Batch:
    headers = {"inference-header-content-length": "0", "accept-encoding": "identity"}
    return numbers(client.post(INFER, content=x.tobytes(), headers=headers))


def platform(path: str, key: str) -> Ask:
    def ask(client: httpx.Client, x: Batch) -> Batch:
        answer = client.post(path, json={key: x.tolist()})
        return np.array(answer.json()["predictions"], np.float32)

    return ask


def in_csv(client: httpx.Client, x: Batch) -> Batch:
    body = "\n".join(",".join(map(repr, row)) for row in x.tolist())
    answer = client.post("/invocations", content=body, headers={"content-type": "text/csv"})
    lines = [list(map(float, line.split(","))) for line in answer.text.splitlines()]
    return np.array(lines, np.float32)


ROUTES: dict[str, Ask] = {
    "/v1, instances": platform("/v1/models/fixture:predict", "instances"),
    "/invocations, inputs": platform("/invocations", "inputs"),
    "/invocations, CSV": in_csv,
    "/predict, records": predict_records,
    "/v2, FP32 in JSON": lambda client, x: numbers(infer(client, in_json(x))),
    "/v2, FP32 in nested JSON": nested,
    "/v2, FP64 in JSON": lambda client, x: numbers(infer(client, in_json(x, "FP64"))),
    "/v2, FP32 in binary": lambda client, x: numbers(infer(client, in_binary(x))),
    "/v2, FP64 in binary": lambda client, x: numbers(
        infer(client, in_binary(x.astype(np.float64), "FP64"))
    ),
    "/v2, binary both ways": lambda client, x: numbers(
        infer(client, in_binary(x, parameters={"binary_data_output": True}))
    ),
    "/v2, nothing but bytes": raw,
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("spread", [1.0, 1e-3, 1e4, 1e30])
def test_every_route_gives_the_same_probabilities(
    route: str, spread: float, client: httpx.Client, rng: np.random.Generator
) -> None:
    x = (rng.normal(size=(64, 4)) * spread).astype(np.float32)

    found = ROUTES[route](client, x)

    np.testing.assert_array_equal(found.view(np.uint32), predict(client, x).view(np.uint32))
