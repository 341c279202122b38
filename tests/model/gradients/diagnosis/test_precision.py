from collections.abc import Callable

import numpy as np
import pytest

from model.arrays import Floats
from model.errors import InvalidInputError
from model.gradients.diagnosis.precision import inferred, named

VALUES = np.random.default_rng(20260).normal(size=(7, 9))


def digits(count: int) -> Callable[[Floats], Floats]:
    return lambda values: np.array([float(f"{v:.{count}g}") for v in values.flat])


def shortest(values: Floats) -> Floats:
    """float32 as it prints itself."""
    return np.array([float(str(v)) for v in values.astype(np.float32).flat])


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (lambda values: values, "float64"),
        (lambda values: values.astype(np.float32).astype(float), "float32"),
        (lambda values: values.astype(np.float16).astype(float), "float16"),
        (shortest, "float32"),
        *((digits(count), f"{count} digits") for count in (2, 3, 4, 5, 6, 8, 12, 15)),
        (digits(17), "float64"),
    ],
)
def test_numbers_show_how_they_were_written(write: Callable[[Floats], Floats], name: str) -> None:
    assert inferred(write(VALUES)).name == name


def test_one_digit_is_one() -> None:
    assert inferred(np.array([0.5, -0.5])).name == "1 digit"


def test_zeros_alone_say_nothing() -> None:
    assert inferred(np.zeros(4)).name == "float64"


def test_numbers_that_are_none_are_passed_over() -> None:
    assert inferred(np.array([np.nan, 0.1234, np.inf])).name == "4 digits"


def test_small_whole_numbers_among_zeros_count_as_exact() -> None:
    """An integer dtype left them, and its cut is no rounding."""
    assert inferred(np.array([0.0, 1.0, -2.0])).name == "float64"


def test_whole_numbers_with_three_digits_are_printed_ones() -> None:
    assert inferred(np.array([333.0, -333.0, 0.0])).name == "3 digits"


def test_a_float16_with_few_digits_is_no_decimal() -> None:
    assert inferred(np.array([166.625, -83.3125])).name == "float16"


def test_the_shortest_texts_of_float32_allow_for_their_last_digit() -> None:
    assert inferred(shortest(VALUES)).printed > 0
    assert inferred(VALUES.astype(np.float32).astype(float)).printed == 0


def test_printed_digits_allow_half_a_unit_of_the_largest_entry() -> None:
    assert named("3 digits", np.array([0.0123, -45.6])).printed == pytest.approx(0.05)


@pytest.mark.parametrize("name", ["float8", "0 digits", "16 digits", "four digits", ""])
def test_unknown_precisions_are_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(InvalidInputError, match="expected float64, float32, float16 or a number"):
        named(name, VALUES)
