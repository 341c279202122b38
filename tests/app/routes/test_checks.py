"""Problems and verdicts over HTTP; which mistake is named is held in tests/verdicts."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from model import load_classifier
from model.gradients import check, probe
from tests.serving import serving

X = [[1.0, 2.0, 3.0, 4.0], [0.5, -1.0, 0.0, 2.0], [1.5, 0.0, -2.0, 0.5]]
LABELS = [4, 0, 2]


def verdict(client: httpx.Client, **body: object) -> dict[str, Any]:
    answer = client.post("/gradient/check", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def problem(client: httpx.Client, **body: object) -> dict[str, Any]:
    answer = client.post("/gradient/check", json=body)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.json() | {"status": answer.status_code}


@pytest.mark.parametrize("level", ["jacobian", "loss", "network"])
def test_a_probe_is_the_one_that_python_makes(level: str, client: httpx.Client) -> None:
    answer = client.get("/gradient/probe", params={"level": level, "seed": 7}).json()

    found = probe(level, 7)
    assert answer["level"], answer["seed"] == (level, 7)
    assert answer["wanted"] == {name: list(shape) for name, shape in found.wanted.items()}
    assert answer["given"].keys() == found.given.keys()
    for name, value in found.given.items():
        assert answer["given"][name] == getattr(value, "tolist", lambda value=value: value)()


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("", "missing-field"),
        ("level=network", "missing-field"),
        ("level=network&seed=1&size=2", "unknown-field"),
        ("level=networks&seed=1", "invalid-value"),
        ("level=network&seed=-1", "invalid-value"),
        ("level=network&seed=1.0", "invalid-value"),
        ("level=network&seed=9223372036854775808", "invalid-value"),
        ("level=network&seed=" + "9" * 5000, "invalid-value"),
    ],
)
def test_a_probe_that_does_not_exist_is_refused(
    query: str, slug: str, client: httpx.Client
) -> None:
    answer = client.get(f"/gradient/probe?{query}")

    assert answer.status_code == 422
    assert answer.json()["type"] == f"/problems/{slug}"


def test_a_probe_asked_for_twice_over_is_refused(client: httpx.Client) -> None:
    answer = client.get("/gradient/probe?level=network&seed=1&seed=2")

    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/duplicate-key")


def test_the_loop_of_probe_and_check_ends_right(client: httpx.Client) -> None:
    asked: dict[str, str | int] = {"level": "loss", "seed": 7}
    given = client.get("/gradient/probe", params=asked).json()["given"]
    powers = np.exp(given["logits"])
    delta3 = powers / powers.sum(axis=1, keepdims=True)
    delta3[range(len(delta3)), given["labels"]] -= 1

    first = verdict(client, probe=asked, candidate={"delta3": delta3.tolist()})
    second = verdict(client, probe=asked, candidate={"delta3": (delta3 / len(delta3)).tolist()})

    assert first["verdict"] == "wrong"
    assert first["mistakes"][0]["slug"] == "sum-instead-of-mean"
    assert first["mistakes"][0]["convention"] is True
    assert (second["verdict"], second["mistakes"]) == ("right", [])


def test_the_answer_is_the_report_of_python(client: httpx.Client) -> None:
    wrong = np.ones((3, 4)).tolist()
    given = {"logits": [[0.5, 1.0, -1.0, 2.0]] * 3, "labels": [0, 1, 3]}

    answer = verdict(client, given=given, candidate={"delta3": wrong})

    assert answer == check(given, {"delta3": wrong}).document()


def test_a_gradient_of_the_served_model_is_checked(client: httpx.Client, model_file: Path) -> None:
    trace = client.post("/gradient/trace", json={"inputs": X, "labels": LABELS}).json()["tensors"]
    right = {name: trace[name]["value"] for name in ("dW1", "db1", "dW2", "db2", "delta2")}
    wrong = right | {"dW2": (np.array(right["dW2"]) * 3).tolist()}

    good = verdict(client, inputs=X, labels=LABELS, candidate=right)
    bad = verdict(client, inputs=X, labels=LABELS, candidate=wrong)

    assert (good["verdict"], good["model"], good["version"]) == ("right", "fixture", "1")
    assert bad["tensors"]["dW2"]["verdict"] == "wrong"
    assert bad["evidence"]["scale"]["dW2"]["is"] == "N"
    assert load_classifier(model_file).features == 4


def test_bare_logits_are_checked_at_the_top_of_the_body(client: httpx.Client) -> None:
    z = [1.2, -0.4, 0.7, 2.0]
    p = np.exp(z) / np.exp(z).sum()

    flat = verdict(client, logits=z, candidate={"jacobian": (p * (1 - p)).tolist()})
    right = verdict(
        client, logits=z, candidate={"jacobian": (np.diag(p) - np.outer(p, p)).tolist()}
    )
    delta3 = verdict(
        client, logits=z, labels=[2], candidate={"delta3": [(p - [0, 0, 1, 0]).tolist()]}
    )

    assert flat["mistakes"][0]["slug"] == "jacobian-as-vector"
    assert (right["verdict"], delta3["verdict"]) == ("right", "right")


def test_null_stands_for_not_a_number_and_is_located(client: httpx.Client) -> None:
    given = {"logits": [[1.0, 2.0], [1000.0, 0.0]], "labels": [0, 1]}

    answer = verdict(client, given=given, candidate={"delta3": [[0.1, -0.1], [None, None]]})

    assert answer["tensors"]["delta3"]["worst"]["index"] == [1, 0]
    assert answer["tensors"]["delta3"]["worst"]["received"] is None
    assert answer["mistakes"][0]["slug"] == "exp-overflow"


def test_a_precision_can_be_claimed(client: httpx.Client) -> None:
    z = [[0.3, -0.2, 0.1]]
    J = np.round(check_right(z), 3).tolist()

    inferred = verdict(client, logits=z, candidate={"jacobian": J})
    claimed = verdict(client, logits=z, candidate={"jacobian": J}, precision="float64")

    assert (inferred["verdict"], inferred["tensors"]["jacobian"]["precision"]) == (
        "right",
        "3 digits",
    )
    assert claimed["verdict"] == "wrong"


def check_right(z: list[list[float]]) -> np.ndarray[Any, Any]:
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return np.stack([np.diag(row) - np.outer(row, row) for row in p])


GIVEN = {"logits": [[1.0, 2.0, 3.0]], "labels": [1]}
ASKED: dict[str, Any] = {"candidate": {"delta3": [[0.0, 0.0, 0.0]]}}
DB2: dict[str, Any] = {"candidate": {"db2": [0.0] * 5}}
PROBE = {"level": "loss", "seed": 1}
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({**ASKED}, "missing-field", ""),
    ({"given": GIVEN}, "missing-field", ""),
    ({"given": GIVEN, "candidate": {}}, "missing-field", "/candidate"),
    ({"given": GIVEN, "candidate": {"delta33": [[0.0]]}}, "unknown-field", "/candidate/delta33"),
    ({"given": GIVEN, "candidate": {"dW1": [[0.0]]}}, "unknown-field", "/candidate/dW1"),
    ({"given": GIVEN, "candidate": {"delta3": [[0.0, 0.0]]}}, "wrong-shape", "/candidate/delta3"),
    ({"given": GIVEN, "candidate": {"delta3": [[0.0], [0, 1]]}},
     "ragged-rows", "/candidate/delta3/1"),
    ({"given": GIVEN, "candidate": {"delta3": "no"}}, "invalid-type", "/candidate/delta3"),
    ({"given": GIVEN, "candidate": {"delta3": [[True, 0, 0]]}},
     "invalid-type", "/candidate/delta3/0/0"),
    ({"given": GIVEN, **ASKED, "precision": "much"}, "invalid-value", "/precision"),
    ({"given": GIVEN, **ASKED, "precision": 3}, "invalid-type", "/precision"),
    ({"given": GIVEN | {"labels": [3]}, **ASKED}, "unknown-label", "/given/labels/0"),
    ({"given": GIVEN | {"labels": [0.5]}, **ASKED}, "unknown-label", "/given/labels/0"),
    ({"given": GIVEN | {"labels": [0, 1]}, **ASKED}, "wrong-shape", "/given/labels"),
    ({"given": GIVEN | {"T": 2}, **ASKED}, "unknown-field", "/given/T"),
    ({"given": GIVEN | {"temperature": 0}, **ASKED}, "invalid-value", "/given/temperature"),
    ({"given": {"logits": [[1e308, 0]], "temperature": 0.1}, "candidate": {"jacobian": [[0, 0]]}},
     "non-finite-result", "/given"),
    ({"probe": {"level": "loss"}, **ASKED}, "missing-field", "/probe"),
    ({"probe": {"level": "los", "seed": 1}, **ASKED}, "invalid-value", "/probe/level"),
    ({"probe": {"level": "loss", "seed": True}, **ASKED}, "invalid-type", "/probe/seed"),
    ({"probe": {"level": "loss", "seed": -1}, **ASKED}, "invalid-value", "/probe/seed"),
    ({"probe": PROBE, "given": GIVEN, **ASKED}, "unknown-field", ""),
    ({"probe": PROBE, "labels": [1], **ASKED}, "unknown-field", "/labels"),
    ({"logits": [[1.0]], "candidate": {"jacobian": [[0.0]]}}, "wrong-width", ""),
    ({"inputs": X, **DB2}, "missing-field", ""),
    ({"inputs": X, "labels": [1], **DB2}, "ragged-rows", "/labels"),
    ({"inputs": X, "labels": [1, 2, 9], **DB2}, "unknown-label", "/labels/2"),
    ({"inputs": [[1.0]], "labels": [1], **DB2}, "wrong-width", "/inputs"),
    ({"inputs": X, "labels": LABELS, "candidate": {"db2": [0.0] * 4}},
     "wrong-shape", "/candidate/db2"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "slug", "pointer"), REFUSED)
def test_what_cannot_be_checked_is_refused_and_located(
    body: dict[str, Any], slug: str, pointer: str, client: httpx.Client
) -> None:
    found = problem(client, **body)

    assert (found["status"], found["type"]) == (422, f"/problems/{slug}")
    assert [cell["pointer"] for cell in found.get("errors", [])] == ([pointer] if pointer else [])


def test_an_unknown_tensor_is_told_the_nearest_name(client: httpx.Client) -> None:
    found = problem(client, given=GIVEN, candidate={"Delta3": [[0.0] * 3]})

    assert "did you mean 'delta3'" in found["detail"]


def test_arrays_nested_without_end_are_refused(client: httpx.Client) -> None:
    deep = "[" * 900 + "1" + "]" * 900
    body = f'{{"given": {{"logits": [[1, 2]]}}, "candidate": {{"jacobian": {deep}}}}}'

    answer = client.post(
        "/gradient/check", content=body, headers={"content-type": "application/json"}
    )

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/wrong-rank"


def test_a_check_just_under_the_cap_passes_and_just_over_is_refused(model_file: Path) -> None:
    with serving(model_file, max_check_numbers=20) as server, server.client() as client:
        body = {"logits": [0.0] * 3, "candidate": {"jacobian": [[0.0] * 3] * 3}}
        given = {"logits": [[0.0] * 5] * 2, "labels": [0, 1]}
        answered = {"candidate": {"delta3": [[0.0] * 5] * 2}}
        small = client.post("/gradient/check", json=body)
        large = client.post("/gradient/check", json={"given": given} | answered)

    assert small.status_code == 200
    assert large.json()["type"] == "/problems/batch-too-large"
    assert "20 numbers" in large.json()["detail"]


def test_debugging_can_be_switched_off(model_file: Path) -> None:
    with serving(model_file, debug=False) as server, server.client() as client:
        closed = [
            client.post("/gradient", json={"logits": [[1.0, 2.0]]}),
            client.post("/gradient/trace", json={}),
            client.post("/gradient/check", json={}),
            client.get("/gradient/probe?level=loss&seed=1"),
        ]
        open_still = client.post("/predict", json={"inputs": X})
        reference = client.get("/openapi.json").json()["paths"]

    assert [answer.status_code for answer in closed] == [404] * 4
    assert open_still.status_code == 200
    assert not [path for path in reference if "gradient" in path]
