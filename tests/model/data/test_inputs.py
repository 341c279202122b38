import numpy as np
import pytest
from numpy.typing import NDArray

from model.data.inputs import column_kinds, holds_bytes


def pixels(width: int, brightest: int = 255) -> NDArray[np.float64]:
    """Two images of `width` pixels whose rim is dark."""
    inputs = np.zeros((2, width))
    inputs[1, width // 4 :] = brightest
    return inputs


def named(width: int) -> tuple[str, ...]:
    return tuple(f"pixel_{i}" for i in range(width))


@pytest.mark.parametrize("brightest", [16, 255])
@pytest.mark.parametrize("names", [named(16), None])
def test_pixels_are_one_kind(names: tuple[str, ...] | None, brightest: int) -> None:
    kinds = column_kinds(pixels(16, brightest), names)

    assert kinds.tolist() == [0] * 16
    assert kinds.dtype == np.int64


def test_a_few_columns_are_no_image() -> None:
    """Flags beside an age, named x1 to x4: one scale would drown the flags."""
    assert column_kinds(pixels(15), named(15)).tolist() == list(range(15))


@pytest.mark.parametrize("other", [0.5, -1.0, 256.0])
def test_one_value_that_is_no_byte_separates_all_columns_of_a_stem(other: float) -> None:
    inputs = pixels(16)
    inputs[0, 3] = other

    assert column_kinds(inputs, named(16)).tolist() == list(range(16))


def test_columns_of_unlike_reach_are_no_image() -> None:
    inputs = np.ones((2, 20))
    inputs[0, :4] = 90  # four ages among sixteen flags

    assert column_kinds(inputs, named(20)).tolist() == list(range(20))


def test_other_names_do_not_share_and_do_not_separate() -> None:
    inputs = np.insert(pixels(16), 2, [0.5, 7.0], axis=1)

    kinds = column_kinds(inputs, (*named(2), "age", *named(18)[2:16]))

    assert kinds.tolist() == [0, 0, 1, *[0] * 14]


def test_every_row_of_a_large_array_is_looked_at() -> None:
    # More cells than are checked at once.
    inputs = np.zeros((300_000, 4))
    inputs[-1, 2] = 0.5

    assert holds_bytes(inputs).tolist() == [True, True, False, True]
