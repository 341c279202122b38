"""The fast kernels against the textbook in float64, and against what they promise of `out`."""

import tracemalloc
from typing import NamedTuple

import numpy as np
import pytest

from model import (
    ACTIVATIONS,
    Activation,
    Floats,
    Parameters,
    Trace,
    forward,
    initial_parameters,
    softmax,
    softmax_jacobian,
)
from model.gradients import (
    Mode,
    Question,
    derivative,
    input_jacobians,
    point_of_logits,
    point_of_network,
    softmax_jacobians,
)
from model.gradients.kernels import unbuffered

SHAPES = [(1, 2), (1, 300), (5, 2), (7, 10), (3, 200)]  # below and above what is a long row
# Logits up to 20 apart: their difference is rounded by 20 x 6e-8, which moves its exponential by as
# much; each entry is a product of two of them.
SINGLE = 5e-6


@pytest.mark.parametrize("shape", SHAPES)
def test_the_softmax_jacobian_is_the_textbook_s(
    shape: tuple[int, int], rng: np.random.Generator
) -> None:
    logits = 3 * rng.normal(size=shape)

    found = softmax_jacobians(softmax(logits))

    # The same products of the same numbers, so not even a rounding apart.
    np.testing.assert_array_equal(found, softmax_jacobian(logits))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_softmax_jacobian_is_as_good_as_its_dtype(
    shape: tuple[int, int], rng: np.random.Generator
) -> None:
    logits = 3 * rng.normal(size=shape).astype(np.float32)

    found = softmax_jacobians(softmax(logits))

    assert found.dtype == np.float32
    np.testing.assert_allclose(found, softmax_jacobian(logits.astype(np.float64)), rtol=SINGLE)


@pytest.mark.parametrize("lead", [20.0, 30.0, 40.0])
def test_a_nearly_certain_class_keeps_its_digits(lead: float) -> None:
    logits = np.array([[lead, 0.0, -1.0]], np.float32)

    found = softmax_jacobians(softmax(logits))

    assert found[0, 0, 0] > 0
    # Above a lead of 17 the float32 1 - p is 0. At 80 the smallest entries would underflow.
    np.testing.assert_allclose(found, softmax_jacobian(logits.astype(np.float64)), rtol=SINGLE)


def test_the_softmax_jacobian_takes_any_leading_axes(rng: np.random.Generator) -> None:
    p = softmax(rng.normal(size=(2, 3, 4)))

    np.testing.assert_array_equal(softmax_jacobians(p)[1, 2], softmax_jacobians(p[1, 2]))


def test_the_softmax_jacobian_fills_the_array_it_is_given() -> None:
    p = softmax(np.array([[1.0, 2.0, 0.5]], np.float32))
    whole = np.full((3, 3, 3), np.nan, np.float32)

    found = softmax_jacobians(p, out=whole[1:2])

    assert np.shares_memory(found, whole)
    np.testing.assert_array_equal(whole[1:2], softmax_jacobians(p))
    assert np.isnan(whole[[0, 2]]).all()


def test_the_diagonal_reaches_an_array_that_is_not_contiguous() -> None:
    p = softmax(np.array([[1.0, 2.0, 0.5]]))
    out = np.empty((1, 3, 6))[..., ::2]

    softmax_jacobians(p, out)

    np.testing.assert_array_equal(out, softmax_jacobians(p))


@pytest.mark.parametrize(
    ("shape", "dtype", "found"),
    [((2, 3), np.float32, r"\(2, 3\)"), ((2, 3, 3), np.float64, "float64")],
)
def test_an_array_that_does_not_fit_is_explained(
    shape: tuple[int, ...], dtype: type[np.floating], found: str
) -> None:
    p = softmax(np.zeros((2, 3), np.float32))

    with pytest.raises(ValueError, match=rf"of shape \(2, 3, 3\) and float32, got .*{found}"):
        softmax_jacobians(p, np.empty(shape, dtype))


class Case(NamedTuple):
    """A float32 network and a forward pass through it."""

    parameters: Parameters
    x: Floats
    activation: Activation
    trace: Trace


def make_case(sizes: tuple[int, int, int, int], activation: str, b2: list[float]) -> Case:
    """Sizes are those of rows, features, hidden units and classes."""
    rows, features, hidden, classes = sizes
    rng, f = np.random.default_rng(3), ACTIVATIONS[activation]
    drawn = initial_parameters((features, hidden, classes), f, rng)
    parameters = drawn._replace(W2=20 * drawn.W2, b2=np.array(b2 or classes * [0.0], np.float32))
    x = rng.random((rows, features), np.float32)
    return Case(parameters, x, f, forward(parameters, x, f))


def found_in(case: Case, out: Floats | None = None) -> Floats:
    return input_jacobians(case.parameters, case.trace, case.activation, out)


def in_float64(case: Case) -> Floats:
    wide = Parameters(*(array.astype(np.float64) for array in case.parameters))
    trace = Trace(*(array.astype(np.float64) for array in case.trace))
    point = point_of_network(wide, case.activation, case.x, trace)
    return derivative(point, Question("probabilities", "inputs"))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("sizes", [(1, 3, 5, 2), (6, 4, 7, 5), (3, 2, 150, 9), (700, 5, 64, 10)])
def test_the_input_jacobian_is_the_chain_s(
    sizes: tuple[int, int, int, int], activation: str
) -> None:
    case = make_case(sizes, activation, [])

    found, exact = found_in(case), in_float64(case)

    assert found.dtype == np.float32
    assert found.shape == (sizes[0], sizes[3], sizes[1])
    # Sums of up to 150 and 10 products, each right to 6e-8; an entry may cancel, a row does not.
    assert np.abs(found - exact).max() <= 1e-5 * np.abs(exact).max()


def test_the_input_jacobian_keeps_the_digits_of_a_nearly_certain_class() -> None:
    case = make_case((4, 6, 8, 3), "tanh", [40.0, 0.0, -1.0])

    found, exact = found_in(case), in_float64(case)

    assert (case.trace.a2[:, 0] == 1).all()
    # Each class by itself, as they are of very different sizes.
    worst = np.abs(found - exact).max(axis=(0, 2))
    assert (worst <= 1e-5 * np.abs(exact).max(axis=(0, 2))).all()


def test_the_input_jacobian_fills_the_array_it_is_given() -> None:
    case = make_case((6, 4, 7, 5), "relu", [])
    out = np.full((6, 5, 4), np.nan, np.float32)

    found = found_in(case, out)

    assert found is out
    np.testing.assert_array_equal(out, found_in(case))


def test_the_input_jacobian_needs_its_rows_side_by_side() -> None:
    case = make_case((6, 4, 7, 5), "relu", [])

    with pytest.raises(ValueError, match="C-contiguous"):
        found_in(case, np.empty((6, 5, 8), np.float32)[..., ::2])


def test_numpy_s_buffer_is_as_it_was_after_a_kernel() -> None:
    before = np.getbufsize()

    with unbuffered():
        assert np.getbufsize() == 16

    assert np.getbufsize() == before


@pytest.mark.parametrize("mode", ["vjp", "jvp"])
def test_a_product_takes_a_few_rows_of_memory_however_many_classes(mode: Mode) -> None:
    logits = np.random.default_rng(0).normal(size=(1, 32_000))
    point, v = point_of_logits(logits), np.ones_like(logits)

    tracemalloc.start()
    derivative(point, Question(mode=mode), v)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    # A handful of intermediates; the matrix would take 32,000 rows.
    assert peak < 8 * logits.nbytes
