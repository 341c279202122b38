"""What the Open Inference Protocol tells of a server and its models, and how it says no."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from model import __version__
from tests.app.open_inference.asking import INFER, in_json, infer
from tests.serving import serving

ALWAYS = ["binary_tensor_data", "classification", "model_configuration", "statistics"]


@pytest.fixture(scope="module")
def closed(folder: Path) -> Iterator[httpx.Client]:
    """A server without derivatives and without control."""
    with serving(folder, debug="off") as server, server.client() as client:
        yield client


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
def test_the_server_tells_who_it_is(path: str, asked: httpx.Client) -> None:
    answer = asked.get(path)

    assert answer.status_code == 200
    assert answer.json() == {
        "name": "softlens",
        "version": __version__,
        "extensions": [
            *ALWAYS, "model_repository", "model_repository(unload_dependents)", "gradient",
        ],
    }  # fmt: skip


def test_health_says_so_in_json(client: httpx.Client) -> None:
    live, ready = client.get("/v2/health/live"), client.get("/v2/health/ready")

    assert (live.status_code, live.json()) == (200, {"live": True})
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "live": True})
    assert client.head("/v2/health/ready").status_code == 200


@pytest.mark.parametrize("path", ["", "/versions/1"])
def test_metadata_tells_names_types_and_shapes(path: str, asked: httpx.Client) -> None:
    found = asked.get(f"/v2/models/fixture{path}").json()

    assert (found["name"], found["versions"]) == ("fixture", ["1", "2"])
    assert found["inputs"] == [{"name": "inputs", "datatype": "FP32", "shape": [-1, 4]}]
    assert found["outputs"] == [
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, 5]},
        {"name": "logits", "datatype": "FP32", "shape": [-1, 5]},
        {"name": "jacobian", "datatype": "FP64", "shape": [-1, 5, 5]},
        {"name": "input_gradient", "datatype": "FP64", "shape": [-1, 5, 4]},
    ]
    assert all(isinstance(value, str) for value in found["properties"].values())


def test_what_metadata_tells_is_what_is_answered(asked: httpx.Client) -> None:
    told = asked.get("/v2/models/fixture").json()["outputs"]

    wanted = [{"name": output["name"]} for output in told]
    answered = infer(asked, in_json(outputs=wanted)).json()["outputs"]

    for output, promise in zip(answered, told, strict=True):
        assert output["datatype"] == promise["datatype"]
        assert output["shape"] == [3, *promise["shape"][1:]]
        assert len(output["data"]) == math.prod(output["shape"])


@pytest.mark.parametrize("path", ["", "/versions/2"])
def test_the_configuration_agrees_with_the_metadata(path: str, asked: httpx.Client) -> None:
    metadata = asked.get(f"/v2/models/fixture{path}").json()

    found = asked.get(f"/v2/models/fixture{path}/config").json()

    assert (found["name"], found["max_batch_size"]) == ("fixture", 4096)
    for kind in ("input", "output"):
        assert found[kind] == [
            {
                "name": tensor["name"],
                "data_type": f"TYPE_{tensor['datatype']}",
                "dims": tensor["shape"][1:],
            }
            for tensor in metadata[f"{kind}s"]
        ]


def test_models_and_their_readiness(asked: httpx.Client) -> None:
    assert asked.get("/v2/models").json() == {"models": ["fixture", "named"]}
    for path in ("fixture", "fixture/versions/1", "named"):
        assert asked.get(f"/v2/models/{path}/ready").json()["ready"] is True


def test_statistics_of_all_of_one_and_of_a_version(asked: httpx.Client) -> None:
    def versions(path: str) -> list[tuple[str, str]]:
        found = asked.get(f"/v2/models{path}/stats").json()["model_stats"]
        return [(one["name"], one["version"]) for one in found]

    assert versions("") == [("fixture", "1"), ("fixture", "2"), ("named", "1")]
    assert versions("/fixture") == [("fixture", "1"), ("fixture", "2")]
    assert versions("/fixture/versions/2") == [("fixture", "2")]


def test_statistics_add_up(asked: httpx.Client) -> None:
    for _ in range(3):
        infer(asked, in_json())
    (found,) = asked.get("/v2/models/fixture/versions/2/stats").json()["model_stats"]

    stages: dict[str, Any] = found["inference_stats"]  # Any: JSON
    counts = [stages[f"compute_{stage}"]["count"] for stage in ("input", "infer", "output")]
    assert counts == [found["execution_count"]] * 3 == [stages["success"]["count"]] * 3
    assert all(stages[f"compute_{stage}"]["ns"] > 0 for stage in ("input", "infer", "output"))
    assert (
        sum(one["batch_size"] * one["compute_infer"]["count"] for one in found["batch_stats"])
        == (found["inference_count"])
    )


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ready": false}', b'{"ready": true}'])
def test_the_index_lists_what_there_is(body: bytes, asked: httpx.Client) -> None:
    found = asked.post("/v2/repository/index", content=body).json()

    listed = [(one["name"], one["version"], one["state"], one["reason"]) for one in found]
    assert listed == [
        ("fixture", "1", "READY", ""), ("fixture", "2", "READY", ""), ("named", "1", "READY", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v2/repository/index", b'{"ready": 1}'),
        ("/v2/repository/index", b"[]"),
        ("/v2/repository/models/named/load", b"{"),
        ("/v2/repository/models/named/load", b'{"parameters": []}'),
        ("/v2/repository/models/named/load", b'{"parameters": {"config": "{}"}}'),
        ("/v2/repository/models/named/load", b'{"parameters": {"file:1/model.npz": "AA=="}}'),
    ],
)
def test_a_control_that_asks_for_more_is_refused(
    path: str, body: bytes, asked: httpx.Client
) -> None:
    answer = asked.post(path, content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert asked.get("/v2/models/named/ready").status_code == 200


def test_a_model_that_is_not_there_cannot_be_loaded(asked: httpx.Client) -> None:
    for verb in ("load", "unload"):
        answer = asked.post(f"/v2/repository/models/absent/{verb}")
        assert answer.status_code == 404
        assert "no model of this name" in answer.json()["error"]


@pytest.mark.parametrize("verb", ["load", "unload"])
def test_control_is_off_unless_switched_on(verb: str, closed: httpx.Client) -> None:
    answer = closed.post(f"/v2/repository/models/fixture/{verb}", json={})

    assert answer.status_code == 403
    assert "SOFTLENS_MODEL_CONTROL" in answer.json()["error"]
    assert closed.get("/v2").json()["extensions"] == ALWAYS
    assert len(closed.post("/v2/repository/index").json()) == 3


@pytest.mark.parametrize("name", ["jacobian", "input_gradient"])
def test_derivatives_are_closed_with_the_rest_of_debugging(name: str, closed: httpx.Client) -> None:
    answer = infer(closed, in_json(outputs=[{"name": name}]))

    assert answer.status_code == 400
    assert "one of probabilities, logits" in answer.json()["error"]
    outputs = closed.get("/v2/models/fixture").json()["outputs"]
    assert [output["name"] for output in outputs] == ["probabilities", "logits"]


@pytest.mark.parametrize("version", ["0", "-1", "1.5", "01", "1" + "0" * 30, "latest", "2%00"])
@pytest.mark.parametrize("end", ["", "/ready", "/config", "/stats", "/infer"])
def test_an_unknown_version_is_a_404(version: str, end: str, client: httpx.Client) -> None:
    method, path = (
        "POST" if end == "/infer" else "GET",
        f"/v2/models/fixture/versions/{version}{end}",
    )

    answer = client.request(method, path, json=in_json() if end == "/infer" else None)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert "no such version" in answer.json()["error"]


@pytest.mark.parametrize(
    "name", ["absent", "%2e%2e", "..%2ffixture", "%00", "%ff", "a%5cb", "con", ".hidden", "FIXTURE"]
)
def test_a_name_like_a_path_is_a_404(name: str, client: httpx.Client) -> None:
    answer = client.post(f"/v2/models/{name}/infer", json=in_json())

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/nothing", 404), ("GET", "/v2/models/fixture/", 404), ("GET", "/v2//", 404),
        ("GET", "/v2/trace/setting", 404), ("GET", "/v2/systemsharedmemory/status", 404),
        ("GET", INFER, 405), ("PUT", INFER, 405), ("POST", "/v2", 405), ("DELETE", "/v2/", 405),
        ("GET", "/v2/repository/index", 405), ("POST", "/v2/health/live", 405),
    ],
)  # fmt: skip
def test_an_error_of_the_path_is_json_with_an_error_too(
    method: str, path: str, status: int, client: httpx.Client
) -> None:
    answer = client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]
    assert ("allow" in answer.headers) == (status == 405)


def test_our_own_routes_keep_their_own_errors(client: httpx.Client) -> None:
    answer = client.get("/v2x")

    assert answer.headers["content-type"] == "application/problem+json"
