import numpy as np
import pytest

from model import ACTIVATIONS, Parameters, backward, cross_entropy, forward, one_hot
from model.gradients import Tensor, count_of_tensors, point_of_network, sizes_of, tensors

NAMES = [
    "inputs", "z1", "a1", "logits", "probabilities", "loss",
    "delta3", "dW2", "db2", "delta2", "dW1", "db1",
]  # fmt: skip
LABELS = np.array([1, 4, 0])


@pytest.fixture(params=["relu", "tanh"])
def found(
    request: pytest.FixtureRequest, parameters: Parameters, rng: np.random.Generator
) -> tuple[dict[str, Tensor], Parameters]:
    f, x = ACTIVATIONS[request.param], rng.normal(size=(3, 4))
    trace = forward(parameters, x, f)
    point = point_of_network(parameters, f, x, trace, LABELS)
    listed = tensors(point)
    assert [tensor.name for tensor in listed] == NAMES
    assert sum(np.size(tensor.value) for tensor in listed) == count_of_tensors(sizes_of(point))
    return (
        {tensor.name: tensor for tensor in listed},
        backward(parameters, x, trace, one_hot(LABELS, 5), f),
    )


def test_the_gradients_are_those_of_the_explicit_backprop(
    found: tuple[dict[str, Tensor], Parameters],
) -> None:
    by_name, gradients = found

    for name, expected in gradients._asdict().items():
        # The same sums; delta3 is exact here and rounded there.
        np.testing.assert_allclose(by_name[f"d{name}"].value, expected, rtol=1e-12, atol=1e-15)


def test_forward_and_deltas_fit_together(found: tuple[dict[str, Tensor], Parameters]) -> None:
    t = {name: np.asarray(tensor.value) for name, tensor in found[0].items()}

    assert t["loss"] == cross_entropy(t["logits"], LABELS)
    np.testing.assert_allclose(
        t["delta3"], (t["probabilities"] - one_hot(LABELS, 5)) / 3, rtol=1e-12
    )
    np.testing.assert_allclose(t["dW2"], t["a1"].T @ t["delta3"], rtol=1e-12)
    np.testing.assert_allclose(t["db1"], t["delta2"].sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(t["dW1"], t["inputs"].T @ t["delta2"], rtol=1e-12)
