import mpmath
import numpy as np
import pytest

from model import (
    ACTIVATIONS,
    cross_entropy,
    log_softmax,
    one_hot,
    softmax,
    softmax_jacobian,
    softmax_vjp,
)
from tests.model.oracles import (
    exact_cross_entropy,
    exact_softmax,
    exact_softmax_jacobian,
    exact_vjp,
)

LEADS = [0.0, 1.0, 40.0, 300.0]
# Each result is a handful of float64 operations, each right to 1.1e-16.
FEW_ROUNDINGS = 2e-15


@pytest.mark.parametrize("lead", LEADS)
def test_softmax_matches_exact_arithmetic(lead: float) -> None:
    logits = [lead, 0.0, -1.0]

    exact = [float(p) for p in exact_softmax(logits)]

    np.testing.assert_allclose(softmax(np.array(logits)), exact, rtol=FEW_ROUNDINGS)


@pytest.mark.parametrize("logits", [[1e308, -1e308], [-1e308, -1e308, 0.0], [1e5, 1e5]])
def test_softmax_survives_any_finite_logits(logits: list[float]) -> None:
    p = softmax(np.array(logits))

    assert np.isfinite(p).all()
    assert p.sum() == pytest.approx(1.0, rel=FEW_ROUNDINGS)


def test_log_softmax_keeps_what_a_probability_would_underflow() -> None:
    np.testing.assert_allclose(log_softmax(np.array([0.0, -2000.0])), [0.0, -2000.0], rtol=1e-15)


@pytest.mark.parametrize("lead", LEADS)
def test_jacobian_stays_accurate_when_one_class_is_certain(lead: float) -> None:
    logits = [lead, 0.0, -1.0]

    np.testing.assert_allclose(
        softmax_jacobian(np.array(logits)), exact_softmax_jacobian(logits), rtol=FEW_ROUNDINGS
    )


def test_jacobian_diagonal_of_a_certain_class_is_not_zero() -> None:
    jacobian = softmax_jacobian(np.array([40.0, 0.0]))

    np.testing.assert_allclose(np.diag(jacobian), 4.248354255291589e-18, rtol=FEW_ROUNDINGS)


def test_jacobian_takes_any_leading_axes(rng: np.random.Generator) -> None:
    logits = rng.normal(size=(2, 3, 4))

    jacobian = softmax_jacobian(logits)

    assert jacobian.shape == (2, 3, 4, 4)
    np.testing.assert_array_equal(jacobian[1, 2], softmax_jacobian(logits[1, 2]))


@pytest.mark.parametrize("lead", LEADS)
def test_vjp_matches_exact_arithmetic_without_the_matrix(lead: float) -> None:
    logits, cotangent = [lead, 0.0, -1.0, 2.0], [0.3, -1.2, 0.7, 5.0]

    vjp = softmax_vjp(softmax(np.array(logits)), np.array(cotangent))

    np.testing.assert_allclose(vjp, exact_vjp(logits, cotangent), rtol=FEW_ROUNDINGS)


def test_vjp_is_the_product_with_the_jacobian(rng: np.random.Generator) -> None:
    logits, v = rng.normal(size=(6, 9)), rng.normal(size=(6, 9))

    expected = np.einsum("ni,nij->nj", v, softmax_jacobian(logits))

    # Sums of 9 products of size one.
    np.testing.assert_allclose(softmax_vjp(softmax(logits), v), expected, atol=1e-15)


def test_vjp_needs_memory_linear_in_the_classes() -> None:
    p = softmax(np.zeros(32_000))

    # The matrix would take 8 GB; a machine that can run the tests would notice.
    assert softmax_vjp(p, np.arange(32_000.0)).shape == (32_000,)


@pytest.mark.parametrize(
    ("logits", "labels"),
    [
        ([[40.0, 0.0, -3.0]], [1]),
        ([[18.0, 0.0, -3.0]], [1]),
        ([[0.1, 0.2, 0.3], [5.0, -5.0, 0.0]], [2, 1]),
        ([[800.0, 0.0]], [1]),
        ([[40.0, 0.0]], [0]),
    ],
)
def test_cross_entropy_never_logs_a_probability(
    logits: list[list[float]], labels: list[int]
) -> None:
    exact = exact_cross_entropy(logits, labels)

    assert cross_entropy(np.array(logits), np.array(labels)) == pytest.approx(exact, rel=1e-15)


def test_one_hot_puts_a_single_one_in_each_row() -> None:
    np.testing.assert_array_equal(one_hot(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_derivative_matches_the_measured_slope(name: str) -> None:
    f, z = ACTIVATIONS[name], np.array([-3.0, -0.4, 0.3, 2.0])
    h = 1e-6

    slope = (f.function(z + h) - f.function(z - h)) / (2 * h)

    # Central differences err by h^2 and by rounding / h, both near 1e-10 here.
    np.testing.assert_allclose(f.derivative(z, f.function(z)), slope, rtol=1e-8)


def test_relu_has_slope_zero_at_its_kink() -> None:
    zero = np.zeros(1)

    assert ACTIVATIONS["relu"].derivative(zero, zero) == 0.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_keep_the_dtype(name: str, dtype: type[np.floating]) -> None:
    z = np.linspace(-1, 1, 5).astype(dtype)

    a = ACTIVATIONS[name].function(z)

    assert a.dtype == dtype
    assert ACTIVATIONS[name].derivative(z, a).dtype == dtype


@pytest.mark.parametrize("z", [0.1, 5.0, 20.0, -20.0, 300.0])
def test_tanh_derivative_survives_saturation(z: float) -> None:
    exact = float(1 / mpmath.cosh(z) ** 2)
    at = np.array([z])

    # exp of 2z carries the rounding of 2z: relative 1e-16 times 600.
    derivative = ACTIVATIONS["tanh"].derivative(at, np.tanh(at))
    np.testing.assert_allclose(derivative, exact, rtol=1e-13)
