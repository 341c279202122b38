"""Every derivative against torch.func, in float64 on a CPU.

Skipped where PyTorch is absent; pyproject.toml says how to run it, beside the extra `peers`.
"""

from typing import Any

import numpy as np
import pytest

from model import ACTIVATIONS, Floats, Parameters, forward
from model.gradients import (
    NODES,
    Point,
    Question,
    derivative,
    point_of_network,
    sizes_of,
    vector_shape,
)
from tests.model.pairs import PAIRS

torch = pytest.importorskip("torch", reason="PyTorch, of the extra `peers`, is not installed")
pytestmark = [
    pytest.mark.peers,
    # torch.func.jvp warns of what PyTorch itself does.
    pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning"),
]

Tensor = Any  # torch.Tensor, where there is one
LABELS = np.array([2, 0, 4])


@pytest.fixture(params=["relu", "tanh"])
def activation(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=range(3))
def point(request: pytest.FixtureRequest, activation: str) -> Point:
    rng, f = np.random.default_rng(request.param), ACTIVATIONS[activation]
    parameters = Parameters(
        rng.normal(size=(4, 6)), rng.normal(size=6), rng.normal(size=(6, 5)), rng.normal(size=5)
    )
    x = rng.normal(size=(3, 4))
    return point_of_network(parameters, f, x, forward(parameters, x, f), LABELS)


def network(values: dict[str, Tensor], start: str, activation: str) -> dict[str, Tensor]:
    """Every node after `start`, in PyTorch; `values` holds the parameters and `start`."""
    v, after = dict(values), NODES.index(start)
    if after < NODES.index("z1"):
        v["z1"] = v["inputs"] @ v["W1"] + v["b1"]
    if after < NODES.index("a1"):
        v["a1"] = getattr(torch, activation)(v["z1"])
    if after < NODES.index("logits"):
        v["logits"] = v["a1"] @ v["W2"] + v["b2"]

    labels = torch.from_numpy(LABELS)
    if start == "probabilities":
        v["loss"] = -v["probabilities"][torch.arange(len(LABELS)), labels].log().mean()
        return v
    v["probabilities"] = torch.softmax(v["logits"], dim=1)
    v["loss"] = torch.nn.functional.cross_entropy(v["logits"], labels)
    return v


def by_torch(point: Point, question: Question, activation: str, vector: Floats) -> Floats:
    """The derivative of all rows of `of` with respect to the whole of `wrt`, by its mode."""
    of, wrt, mode = question
    assert point.parameters is not None
    held = {**point.parameters._asdict(), "inputs": point.inputs}
    values = {name: torch.from_numpy(value) for name, value in held.items()}
    start = wrt if wrt in NODES else "inputs"
    at = values[wrt] if wrt in values else torch.from_numpy(getattr(point, wrt))

    def function(moved: Tensor) -> Tensor:
        return network(values | {wrt: moved}, start, activation)[of]

    if mode == "vjp":
        return torch.func.vjp(function, at)[1](torch.from_numpy(vector))[0].numpy()
    if mode == "jvp":
        return torch.func.jvp(function, (at,), (torch.from_numpy(vector),))[1].numpy()
    return torch.func.jacrev(function)(at).numpy()


def agree(found: Floats, expected: Floats) -> None:
    found = np.asarray(found)
    assert found.shape == expected.shape
    # Both are float64 and sum at most 20 terms; what is left of 16 digits is far more than 10.
    assert np.abs(found - expected).max() <= 1e-10 * np.abs(expected).max()


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_every_jacobian_is_that_of_torch(
    pair: tuple[str, str], activation: str, point: Point
) -> None:
    question = Question(*pair, "jacobian")

    found = derivative(point, question)

    whole = by_torch(point, question, activation, np.empty(0))
    if pair[0] != "loss" and pair[1] in NODES:  # a row moves with no other row
        whole = np.array([whole[n, :, n] for n in range(len(whole))])
    agree(found, whole)


@pytest.mark.parametrize("mode", ["vjp", "jvp"])
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_every_product_is_that_of_torch(
    pair: tuple[str, str], mode: Any, activation: str, point: Point
) -> None:
    question = Question(*pair, mode)
    vector = np.asarray(
        np.random.default_rng(9).normal(size=vector_shape(question, sizes_of(point)))
    )

    found = derivative(point, question, vector)

    agree(found, by_torch(point, question, activation, vector))
