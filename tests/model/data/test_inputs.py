import numpy as np
import pytest

from model.data.inputs import column_kinds, holds_bytes


def test_bytes_under_names_differing_in_digits_are_one_kind() -> None:
    inputs = np.array([[0.0, 255.0, 3.0], [1.0, 2.0, 0.0]])

    kinds = column_kinds(inputs, ("pixel_0_0", "pixel_0_1", "pixel_10_2"))

    assert kinds.tolist() == [0, 0, 0]
    assert kinds.dtype == np.int64


@pytest.mark.parametrize("other", [0.5, -1.0, 256.0])
def test_one_value_that_is_no_byte_separates_all_columns_of_a_stem(other: float) -> None:
    inputs = np.array([[0.0, 1.0, 2.0], [1.0, other, 0.0]])

    kinds = column_kinds(inputs, ("x1", "x2", "x3"))

    assert kinds.tolist() == [0, 1, 2]


def test_other_names_do_not_share_and_do_not_separate() -> None:
    inputs = np.array([[0.0, 1.5, 2.0, 7.0, 3.0], [1.0, 2.5, 0.0, 9.0, 4.0]])

    kinds = column_kinds(inputs, ("p1", "age", "p2", "count", "p3"))

    assert kinds.tolist() == [0, 1, 0, 2, 0]


def test_columns_without_names_are_one_stem() -> None:
    images = np.zeros((2, 3), dtype=np.uint8)
    measurements = np.full((2, 3), 0.5)

    assert column_kinds(images, None).tolist() == [0, 0, 0]
    assert column_kinds(measurements, None).tolist() == [0, 1, 2]


def test_every_row_of_a_large_array_is_looked_at() -> None:
    # More cells than are checked at once.
    inputs = np.zeros((300_000, 4))
    inputs[-1, 2] = 0.5

    assert holds_bytes(inputs).tolist() == [True, True, False, True]
