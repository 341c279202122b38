from typing import Any  # Any: a dtype

import numpy as np
import pytest

from model import ACTIVATIONS, Floats, Parameters, backward, cross_entropy, forward
from model.training.backprop import Backprop, Layers, flattened, layers
from model.training.rows import with_ones

SHAPE = 9, 7, 4  # D, H, C
# A few roundings of 2^-24 or 2^-53, of sums of at most 50 products.
TOLERANCE = {np.float32: 1e-6, np.float64: 1e-14}


def network(dtype: Any, rng: np.random.Generator) -> Parameters:
    features, hidden, classes = SHAPE
    shapes = (features, hidden), hidden, (hidden, classes), classes
    return Parameters(*(rng.normal(size=shape).astype(dtype) for shape in shapes))


def trained_on(parameters: Parameters, activation: str, smoothing: float, rows: int) -> Backprop:
    return Backprop(layers(flattened(parameters), SHAPE), activation, smoothing, rows)


def room(parameters: Parameters) -> Layers:
    return layers(np.full_like(flattened(parameters), np.nan), SHAPE)


def assert_close(found: Parameters, expected: Parameters, dtype: Any) -> None:
    for name in Parameters._fields:
        a, b = getattr(found, name), getattr(expected, name)
        assert a.dtype == dtype
        assert np.abs(a - b).max() <= TOLERANCE[dtype] * np.abs(b).max(), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("rows", [1, 2, 50])
def test_gradients_are_those_of_the_textbook(
    dtype: Any, activation: str, smoothing: float, rows: int, rng: np.random.Generator
) -> None:
    parameters, f = network(dtype, rng), ACTIVATIONS[activation]
    x, labels = rng.normal(size=(rows, 9)).astype(dtype), rng.integers(4, size=rows)
    gradient = room(parameters)

    fast = trained_on(parameters, activation, smoothing, rows=50)
    found = fast.gradient(with_ones(x, 9), labels, 1 / rows, gradient)

    y: Floats = ((1 - smoothing) * np.eye(4)[labels] + smoothing / 4).astype(dtype)
    trace = forward(parameters, x, f)
    assert_close(gradient.parameters, backward(parameters, x, trace, y, f), dtype)
    assert found.loss / rows == pytest.approx(cross_entropy(trace.z2, labels), rel=1e-5)
    assert found.correct == np.count_nonzero(trace.z2.argmax(axis=1) == labels)


def test_a_small_batch_after_a_large_one_leaves_nothing_of_it(rng: np.random.Generator) -> None:
    parameters = network(np.float32, rng)
    x, labels = with_ones(rng.normal(size=(20, 9)).astype(np.float32), 9), rng.integers(4, size=20)
    used, fresh = (trained_on(parameters, "relu", 0.0, rows=20) for _ in range(2))
    after, alone = room(parameters), room(parameters)

    used.gradient(x, labels, 1 / 20, after)
    used.gradient(x[:3], labels[:3], 1 / 3, after)
    fresh.gradient(x[:3], labels[:3], 1 / 3, alone)

    assert_close(after.parameters, alone.parameters, np.float32)


def test_a_unit_at_the_kink_has_no_slope() -> None:
    parameters = Parameters(
        np.zeros((9, 7)), np.zeros(7), np.ones((7, 4)) * np.arange(4), np.zeros(4)
    )
    gradient = room(parameters)

    x = with_ones(np.ones((2, 9)), 9)
    trained_on(parameters, "relu", 0.0, rows=2).gradient(x, np.array([0, 1]), 0.5, gradient)

    assert not gradient.first.any()


@pytest.mark.parametrize("lead", [50.0, 1e4, 1e30])
def test_sure_logits_overflow_nowhere(lead: float) -> None:
    """Warnings are errors here; the loss is the distance between the logits."""
    zeros = Parameters(np.zeros((9, 7)), np.zeros(7), np.zeros((7, 4)), np.array([lead, 0, 0, 0]))
    parameters = Parameters(*(array.astype(np.float32) for array in zeros))
    gradient = room(parameters)

    x = np.ones((1, 10), np.float32)
    found = trained_on(parameters, "relu", 0.0, 1).gradient(x, np.array([1]), 1.0, gradient)

    assert found.loss == pytest.approx(lead, rel=1e-6)
    assert found.correct == 0
    np.testing.assert_allclose(gradient.b2, [1, -1, 0, 0], atol=1e-20)


def test_labels_may_be_bytes(rng: np.random.Generator) -> None:
    """Their product with the number of rows is more than a byte holds."""
    parameters = network(np.float64, rng)
    x, labels = with_ones(rng.normal(size=(300, 9)), 9), rng.integers(4, size=300)
    wide, narrow = room(parameters), room(parameters)

    trained_on(parameters, "relu", 0.0, 300).gradient(x, labels, 1.0, wide)
    trained_on(parameters, "relu", 0.0, 300).gradient(x, labels.astype(np.uint8), 1.0, narrow)

    np.testing.assert_array_equal(wide.first, narrow.first)
