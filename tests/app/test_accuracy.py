"""What is served against a float64 evaluation of the saved file, written here from the format."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np
import pytest

from model import Float64s, save_artifact
from tests.model.artifacts import make_artifact
from tests.serving import serving


class Case(NamedTuple):
    client: httpx.Client
    file: Path
    inputs: Float64s


CASES = [
    {"mean": 0.0, "scale": 1.0},
    {"mean": 5.0, "scale": 6.0, "temperature": 0.4, "activation": "tanh"},
    {"mean": 1e4, "scale": 1.0, "temperature": 0.4},
    {"mean": 1e4, "scale": 1.0, "activation": "tanh"},
    {"mean": 1.7e9, "scale": 1e5},
]


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Case]:
    rng, path = np.random.default_rng(11), tmp_path_factory.mktemp("models") / "m.npz"
    artifact = make_artifact(rng, shape=(64, 128, 10), **request.param)
    save_artifact(path, artifact)
    noise = rng.normal(size=(40, 64))
    with serving(path) as server, server.client() as client:
        yield Case(client, path, artifact.input_mean + artifact.input_scale * noise)


def evaluate(file: Path, x: Float64s) -> tuple[Float64s, Float64s]:
    """Logits over the temperature, and probabilities, by plain NumPy."""
    with np.load(file, allow_pickle=False) as m:
        z1 = (x - m["input_mean"]) / m["input_scale"] @ m["W1"].astype(float) + m["b1"]
        tanh = b'"activation":"tanh"' in m["metadata"].tobytes()
        a1 = np.tanh(z1) if tanh else np.maximum(z1, 0)
        z = (a1 @ m["W2"].astype(float) + m["b2"]) / m["temperature"]
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return z, powers / powers.sum(axis=1, keepdims=True)


def test_predict_agrees_to_2e_6(case: Case) -> None:
    answer = case.client.post("/predict", json={"inputs": case.inputs.tolist()}).json()

    _, p = evaluate(case.file, case.inputs)
    np.testing.assert_allclose(answer["probabilities"], p, rtol=0, atol=2e-6)
    assert answer["labels"] == p.argmax(axis=1).tolist()


def test_gradient_agrees_to_1e_12(case: Case) -> None:
    answer = case.client.post("/gradient", json={"inputs": case.inputs.tolist()}).json()

    z, p = evaluate(case.file, case.inputs)
    jacobian = np.einsum("ni,ij->nij", p, np.eye(10)) - p[:, :, None] * p[:, None, :]
    for name, expected in (("gradient", jacobian), ("logits", z), ("probabilities", p)):
        worst = np.abs(np.array(answer[name]) - expected).max() / np.abs(expected).max()
        assert worst <= 1e-12, name
    assert answer["shape"] == [40, 10, 10]


def test_every_single_row_is_answered_as_in_its_batch(case: Case) -> None:
    batch = case.client.post("/gradient", json={"inputs": case.inputs.tolist()}).json()

    alone = case.client.post("/gradient", json={"inputs": case.inputs[3].tolist()}).json()

    # A product of one row may be summed in another order.
    np.testing.assert_allclose(alone["gradient"][0], batch["gradient"][3], rtol=1e-11, atol=1e-300)


def test_the_gradient_of_the_loss_agrees_to_1e_12(case: Case) -> None:
    """dloss/db2 is the mean of p - y, which plain NumPy finds from the file."""
    labels = np.arange(40) % 10
    body = {"inputs": case.inputs.tolist(), "labels": labels.tolist(), "of": "loss", "wrt": "b2"}

    found = np.array(case.client.post("/gradient", json=body).json()["gradient"])

    _, p = evaluate(case.file, case.inputs)
    expected = (p - np.eye(10)[labels]).sum(axis=0) / 40
    assert np.abs(found - expected).max() <= 1e-12 * np.abs(expected).max()
