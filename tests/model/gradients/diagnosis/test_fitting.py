import numpy as np
import pytest

from model.gradients.diagnosis.fitting import (
    Posted,
    Predictions,
    Way,
    distances,
    fit,
    leeway,
    stacked,
)
from model.gradients.mistakes.sums import LEAKY

VALUE = np.array([[1.0, -2.0], [4.0, 0.5]])
GRANTED = np.ones(2)
OFF_BY_A_TENTH = VALUE + np.array([[0.0, 0.4], [0.0, 0.0]])


def test_the_distance_is_relative_to_the_larger_of_the_two() -> None:
    found = distances(np.stack([VALUE, OFF_BY_A_TENTH, 2 * VALUE]), VALUE)

    np.testing.assert_allclose(found, [0.0, 0.1, 0.5])


def test_stacks_of_stacks_are_compared_at_once() -> None:
    stack = np.stack([VALUE, OFF_BY_A_TENTH, 2 * VALUE, 0 * VALUE])

    both = distances(stack.reshape(2, 2, 2, 2), VALUE)

    np.testing.assert_array_equal(both, distances(stack, VALUE).reshape(2, 2))


def test_differences_up_to_the_noise_count_as_none() -> None:
    found = distances(np.stack([VALUE, OFF_BY_A_TENTH]), VALUE, noise=0.4)

    np.testing.assert_allclose(found, 0.0, atol=1e-15)


def test_zeros_are_no_distance_apart() -> None:
    assert distances(np.zeros((1, 3)), np.zeros(3)) == [0.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_holds_no_number_is_infinitely_far(bad: float) -> None:
    stack = np.stack([VALUE, VALUE])
    stack[1, 0, 0] = bad

    with np.errstate(invalid="ignore"):  # as a check does
        found = distances(stack, VALUE)

    np.testing.assert_array_equal(found, [0.0, np.inf])


def test_no_arrays_have_no_distances() -> None:
    assert distances(np.empty((0, 2, 2)), VALUE).shape == (0,)


def test_nothing_more_is_wrong_unless_that_cannot_be() -> None:
    """The leaky one is closer in both ways; in the first, nothing more is close enough."""
    nearly = VALUE + 1e-3
    nothing = Predictions([()], np.stack([nearly, OFF_BY_A_TENTH])[None])
    leaky = Predictions([(LEAKY,)], np.stack([VALUE, VALUE])[None])

    found = fit(Posted(VALUE, 1e-2), [nothing, leaky], GRANTED)

    assert found.names == [(), (LEAKY,)]
    assert found.fits.all()


def test_where_nothing_fits_the_closest_is_reported() -> None:
    far = Predictions([(), (LEAKY,)], np.stack([[2 * VALUE] * 2, [OFF_BY_A_TENTH] * 2]))

    found = fit(Posted(VALUE, 1e-2), [far], GRANTED)

    assert found.names == [(LEAKY,), (LEAKY,)]
    assert not found.fits.any()
    np.testing.assert_allclose(found.errors, 0.1)


def test_predictions_of_another_shape_are_out() -> None:
    found = fit(Posted(VALUE, 1e-2), [Predictions([()], np.zeros((1, 2, 5)))], GRANTED)

    assert found.names == [(), ()]
    np.testing.assert_array_equal(found.errors, np.inf)
    assert not found.fits.any()


def test_a_fitted_number_brings_an_error_of_its_own() -> None:
    off = VALUE + 0.05  # 1.25 % of the largest entry
    ways = [Way((), off), Way((LEAKY,), off, free=1)]

    found = fit(Posted(VALUE, 1e-2), [Predictions([()], stacked(ways)[None])], leeway(ways))

    assert found.fits.tolist() == [False, True]


def test_some_of_the_ways_keep_what_was_found_for_them() -> None:
    stack = np.stack([VALUE, OFF_BY_A_TENTH])
    found = fit(Posted(VALUE, 1e-2), [Predictions([(LEAKY,)], stack[None])], GRANTED)

    some = found.of(np.array([1]))

    assert some.names == [(LEAKY,)]
    np.testing.assert_allclose(some.errors, [0.1])
    assert some.fits.tolist() == [False]
