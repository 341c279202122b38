import mpmath
import numpy as np
import pytest

from model import (
    ACTIVATIONS,
    Float64s,
    Parameters,
    backward,
    cross_entropy,
    forward,
    initial_parameters,
    one_hot,
)
from model.gradients import complex_step_slope, reference_loss


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_forward_matches_exact_arithmetic(
    activation: str, parameters: Parameters, rng: np.random.Generator
) -> None:
    x = rng.normal(size=(1, 4))
    W1, b1, W2, b2 = (mpmath.matrix(array.tolist()) for array in parameters)
    f = mpmath.tanh if activation == "tanh" else (lambda z: max(z, mpmath.mpf(0)))

    a1 = (mpmath.matrix(x.tolist()) * W1 + b1.T).apply(f)
    exact = [float(z) for z in a1 * W2 + b2.T]

    # Sums of at most 7 products of size one.
    trace = forward(parameters, x, ACTIVATIONS[activation])
    np.testing.assert_allclose(trace.z2[0], exact, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", Parameters._fields)
def test_backward_matches_the_measured_slope(
    name: str, activation: str, parameters: Parameters, rng: np.random.Generator
) -> None:
    f, x, labels = ACTIVATIONS[activation], rng.normal(size=(7, 4)), rng.integers(5, size=7)
    y = one_hot(labels, 5)
    gradient = getattr(backward(parameters, x, forward(parameters, x, f), y, f), name)

    at = getattr(parameters, name)
    along = rng.normal(size=at.shape)
    loss = reference_loss(parameters, x, y, activation, of=name)
    measured = complex_step_slope(loss, at, along)

    # The complex step is exact to rounding, and so is backprop.
    assert np.vdot(gradient, along) == pytest.approx(measured, rel=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_backward_is_the_slope_of_our_own_loss(
    activation: str, parameters: Parameters, rng: np.random.Generator
) -> None:
    f, x, labels = ACTIVATIONS[activation], rng.normal(size=(7, 4)), rng.integers(5, size=7)
    gradient = backward(parameters, x, forward(parameters, x, f), one_hot(labels, 5), f).W1
    along = rng.normal(size=(4, 7))

    def loss(t: float) -> float:
        return cross_entropy(
            forward(parameters._replace(W1=parameters.W1 + t * along), x, f).z2, labels
        )

    # Central differences at h = 1e-5 are right to about 1e-10 in float64.
    measured = (loss(1e-5) - loss(-1e-5)) / 2e-5
    assert np.vdot(gradient, along) == pytest.approx(measured, rel=1e-8)


def test_backward_agrees_with_a_step_worked_by_hand() -> None:
    """One row, one hidden unit, two classes, all weights 1: p = (1/2, 1/2)."""
    ones = Parameters(W1=np.ones((1, 1)), b1=np.ones(1), W2=np.ones((1, 2)), b2=np.ones(2))
    x: Float64s = np.array([[2.0]])
    f = ACTIVATIONS["relu"]

    gradients = backward(ones, x, forward(ones, x, f), np.array([[1.0, 0.0]]), f)

    np.testing.assert_array_equal(gradients.b2, [-0.5, 0.5])
    np.testing.assert_array_equal(gradients.W2, [[-1.5, 1.5]])
    np.testing.assert_array_equal(gradients.b1, [0.0])
    np.testing.assert_array_equal(gradients.W1, [[0.0]])


@pytest.mark.parametrize(("activation", "expected"), [("relu", 2 / 400), ("tanh", 2 / 700)])
def test_starting_weights_have_the_variance_of_the_source(
    activation: str, expected: float, rng: np.random.Generator
) -> None:
    start = initial_parameters((400, 300, 50), ACTIVATIONS[activation], rng)

    # A sample variance of n normals strays by sqrt(2 / n): 0.4 % here, ten times that for W2.
    assert start.W1.var() == pytest.approx(expected, rel=0.02)
    assert start.W2.var() == pytest.approx(0.02 / 350, rel=0.06)
    assert not start.b1.any()
    assert not start.b2.any()
    assert {array.dtype for array in start} == {np.dtype(np.float32)}


def test_nothing_is_modified_by_a_pass(parameters: Parameters, rng: np.random.Generator) -> None:
    x, y, f = rng.normal(size=(3, 4)), one_hot(np.array([0, 1, 2]), 5), ACTIVATIONS["relu"]
    before = [array.copy() for array in (*parameters, x, y)]

    backward(parameters, x, forward(parameters, x, f), y, f)

    for array, copy in zip((*parameters, x, y), before, strict=True):
        np.testing.assert_array_equal(array, copy)
