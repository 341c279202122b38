"""The managed platforms' own payloads; that the numbers agree is held in test_routes_agree."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.serving import ROOT, serving

X = [[1.0, 2.0, 3.0, 4.0], [0.5, -1.0, 0.0, 2.0]]
NAMES = ["feature_0", "feature_1", "feature_2", "feature_3"]


def expected(client: httpx.Client) -> list[list[float]]:
    return client.post("/predict", json={"inputs": X}).json()["probabilities"]


PAYLOADS: list[dict[str, Any]] = [
    {"instances": X},
    {"instances": X, "parameters": {"any": 1}, "signature_name": "serving_default"},
    {"instances": [dict(zip(NAMES, row, strict=True)) for row in X]},
    {"inputs": X},
    {"inputs": X, "params": {}},
    {"dataframe_records": [dict(zip(NAMES, row, strict=True)) for row in X]},
    {"dataframe_split": {"columns": NAMES, "index": [0, 1], "data": X}},
    {"dataframe_split": {"data": X}},
    {"dataframe_split": {"columns": NAMES[::-1], "data": [row[::-1] for row in X]}},
]


@pytest.mark.parametrize("payload", PAYLOADS, ids="-".join)
@pytest.mark.parametrize(
    "path",
    ["/invocations", "/v1/models/fixture:predict", "/v1/models/fixture/versions/1:predict"],
)
def test_every_payload_is_answered_on_every_route(
    path: str, payload: dict[str, Any], client: httpx.Client
) -> None:
    answer = client.post(path, json=payload)

    assert answer.status_code == 200, answer.text
    assert answer.json() == {"predictions": expected(client)}


def test_csv_goes_in_and_out(client: httpx.Client) -> None:
    body = "\r\n".join(",".join(map(str, row)) for row in X)

    answer = client.post("/invocations", content=body, headers={"content-type": "text/csv"})

    assert answer.headers["content-type"].startswith("text/csv")
    rows = [list(map(float, line.split(","))) for line in answer.text.splitlines()]
    np.testing.assert_array_equal(
        np.array(rows, np.float32), np.array(expected(client), np.float32)
    )


def test_a_client_need_not_say_what_it_sends(client: httpx.Client) -> None:
    answer = client.post("/invocations", content=json.dumps({"instances": X}))

    assert answer.json() == {"predictions": expected(client)}


def test_explanations_are_gradients_of_the_likeliest_class(client: httpx.Client) -> None:
    found = client.post("/v1/models/fixture:explain", json={"instances": X}).json()

    asked = {"inputs": X, "of": "probabilities", "wrt": "inputs"}
    jacobian = np.array(client.post("/gradient", json=asked).json()["gradient"])
    predicted = client.post("/predict", json={"inputs": X}).json()
    for n, one in enumerate(found["explanations"]):
        assert one["label"] == predicted["labels"][n]
        column = predicted["classes"].index(one["label"])
        # The same edges, multiplied in another order.
        np.testing.assert_allclose(one["gradient"], jacobian[n, column], rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("path", ["/v1/models/fixture", "/v1/models/fixture/versions/1"])
def test_the_status_suits_both_kinds_of_client(path: str, client: httpx.Client) -> None:
    answer = client.get(path).json()

    assert (answer["name"], answer["ready"]) == ("fixture", True)
    assert answer["model_version_status"][0]["state"] == "AVAILABLE"


def test_ping_says_ready(client: httpx.Client) -> None:
    assert client.get("/ping").status_code == 200


@pytest.mark.parametrize(
    ("path", "content", "kind", "status", "says"),
    [
        ("/v1/models/none:predict", "{}", "application/json", 404, "no model of this name"),
        ("/v1/models/fixture/versions/9:predict", "{}", "application/json", 404, "no such version"),
        ("/invocations", "{", "application/json", 400, ""),
        ("/invocations", "{}", "application/json", 400, "expected one of instances"),
        ("/invocations", '{"instances": [[1]]}', "application/json", 400, "4 features, got 1"),
        ("/invocations", '{"instances": [{"a": 1}]}', "application/json", 400, "unknown field"),
        ("/invocations", '{"instances": [[1,2,3,"4"]]}', "application/json", 400, "a number"),
        ("/invocations", '{"instances": [], "inputs": []}', "application/json", 400, "got inst"),
        ("/invocations", '{"dataframe_split": {"index": []}}', "application/json", 400, "`data`"),
        (
            "/invocations",
            '{"dataframe_split": {"columns": ["a", "b", "c", "d"], "data": [[1, 2, 3, 4]]}}',
            "application/json", 400, "lacks 'feature_0'",
        ),
        ("/invocations", "1,2,3,4\n1,2\n", "text/csv", 400, "line 2: expected 4 numbers"),
        ("/invocations", "1,2,3,x\n", "text/csv", 400, "line 1, column 4"),
        ("/invocations", "1,2,3,nan\n", "text/csv", 400, "a finite number"),
        ("/invocations", "1,2,3,1_0\n", "text/csv", 400, "a finite number"),
        ("/invocations", "1,2,3,1e39\n", "text/csv", 400, "a finite number"),
        ("/invocations", "\n", "text/csv", 400, "got none"),
        ("/invocations", "\u0661,2,3,4\n", "text/csv", 400, "ASCII"),
        ("/v1/none", "{}", "application/json", 404, "/v1/none"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_an_error_their_clients_read(
    path: str, content: str, kind: str, status: int, says: str, client: httpx.Client
) -> None:
    answer = client.post(path, content=content.encode(), headers={"content-type": kind})

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert says in answer.json()["error"]
    assert client.get("/ping").status_code == 200


def test_the_platform_names_its_port_and_paths(
    model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIP_HEALTH_ROUTE", "/v1/endpoints/7/healthy")
    monkeypatch.setenv("AIP_PREDICT_ROUTE", "/predict")
    with serving(model_file) as server, server.client() as client:
        healthy = client.get("/v1/endpoints/7/healthy")
        answer = client.post("/predict", json={"instances": X})

    assert healthy.status_code == 200
    assert np.shape(answer.json()["predictions"]) == (2, 5)


def test_the_platforms_routes_can_be_switched_off(model_file: Path) -> None:
    with serving(model_file, platforms=False) as server, server.client() as client:
        statuses = [
            client.post("/invocations", json={"instances": X}).status_code,
            client.post("/v1/models/fixture:predict", json={"instances": X}).status_code,
            client.get("/ping").status_code,
        ]

    assert statuses == [404, 404, 404]


def test_explanations_are_closed_with_the_rest_of_debugging(model_file: Path) -> None:
    with serving(model_file, debug=False) as server, server.client() as client:
        answer = client.post("/v1/models/fixture:explain", json={"instances": X})

    assert answer.status_code == 404


def test_many_features_are_not_looked_for_one_by_one_among_many_columns() -> None:
    """Within a minute on any machine; compared with each other, names would take minutes."""
    decoding = """
import sys
from app.codecs.instances import decode_instances
from app.codecs.rows import Limits
from app.errors import RequestError
try:
    decode_instances(sys.stdin.buffer.read(), [f"f{i}" for i in range(20_000)], Limits())
except RequestError as error:
    assert error.slug == "missing-field", error
else:
    raise AssertionError
"""
    columns = 500_000
    frame = {"columns": list(map(str, range(columns))), "data": [[0] * columns]}
    body = json.dumps({"dataframe_split": frame}).encode()
    command = [sys.executable, "-c", decoding]
    # In a process of its own, which can be ended.
    subprocess.run(command, input=body, check=True, timeout=60, cwd=ROOT)
