"""What must hold for any logits, whatever the formula."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model import Float64s, log_softmax, softmax, softmax_jacobian, softmax_vjp

finite = st.floats(-700, 700)
logit_vectors = arrays(np.float64, st.integers(2, 12), elements=finite)
pairs = st.integers(2, 12).flatmap(
    lambda size: st.tuples(*[arrays(np.float64, size, elements=st.floats(-50, 50))] * 2)
)


@given(logit_vectors)
def test_probabilities_sum_to_one(logits: Float64s) -> None:
    p = softmax(logits)

    assert (p >= 0).all()
    # A division by the sum, and a sum of at most 12 terms.
    assert abs(p.sum() - 1) < 1e-15 * 12


@given(logit_vectors, st.floats(-1e3, 1e3))
def test_a_shift_of_all_logits_changes_nothing(logits: Float64s, shift: float) -> None:
    # Shifting rounds each logit by up to 1e3 * 1.1e-16, and exp carries that over.
    np.testing.assert_allclose(softmax(logits + shift), softmax(logits), rtol=1e-12)


@given(logit_vectors)
def test_raising_every_logit_equally_moves_no_probability(logits: Float64s) -> None:
    """J 1 = 0, because softmax ignores a shift shared by all classes."""
    jacobian = softmax_jacobian(logits)

    # No entry exceeds 1, so this allows a few roundings and nothing more.
    np.testing.assert_allclose(jacobian @ np.ones_like(logits), 0.0, atol=2e-15)


@given(logit_vectors)
def test_the_jacobian_is_symmetric_to_the_bit(logits: Float64s) -> None:
    jacobian = softmax_jacobian(logits)

    np.testing.assert_array_equal(jacobian, jacobian.T)


@given(logit_vectors)
def test_the_jacobian_has_the_signs_and_bounds_of_a_covariance(logits: Float64s) -> None:
    jacobian = softmax_jacobian(logits)
    diagonal = np.diag(jacobian)

    assert (diagonal >= 0).all()
    assert (diagonal <= 0.25 + 1e-16).all()
    assert (jacobian - np.diag(diagonal) <= 0).all()
    # Eigenvalues of a matrix of norm at most 1/2, found to rounding.
    assert np.linalg.eigvalsh(jacobian).min() > -1e-15 * len(logits)


@given(pairs)
def test_the_vjp_is_the_product_with_the_matrix(pair: tuple[Float64s, Float64s]) -> None:
    logits, v = pair

    vjp = softmax_vjp(softmax(logits), v)

    # Sums of 12 products of at most 50, with entries of J of at most 1/4.
    np.testing.assert_allclose(vjp, v @ softmax_jacobian(logits), rtol=1e-12, atol=1e-13)


@given(pairs)
def test_the_vjp_sums_to_zero_and_ignores_a_constant(pair: tuple[Float64s, Float64s]) -> None:
    logits, v = pair
    p = softmax(logits)

    vjp = softmax_vjp(p, v)

    np.testing.assert_allclose(vjp.sum(), 0.0, atol=1e-13)
    np.testing.assert_allclose(softmax_vjp(p, v + 3.0), vjp, rtol=1e-10, atol=1e-13)


@given(logit_vectors)
def test_log_softmax_is_the_logarithm_of_softmax(logits: Float64s) -> None:
    log_p = log_softmax(logits)

    assert (log_p <= 0).all()
    np.testing.assert_allclose(np.exp(log_p), softmax(logits), rtol=1e-12)
