from typing import Literal

import numpy as np
import pytest

from model.errors import InvalidInputError
from model.gradients import check, probe
from tests.model.gradients.diagnosis.problems import network, right, slugs

PROBE = probe("network", 1)
RIGHT = right(PROBE.given)


@pytest.mark.parametrize("name", ["dW1", "dW2"])
def test_a_transposed_tensor_is_recognised_as_a_convention(name: str) -> None:
    report = check(PROBE, {name: RIGHT[name].T})

    assert report.verdict == "wrong"
    assert slugs(report) == ["transposed"]
    assert report.mistakes[0].mistake.convention


@pytest.mark.parametrize(("order", "slug"), [("C", "flattened"), ("F", "fortran-order")])
def test_a_flat_tensor_is_recognised_in_either_order(order: Literal["C", "F"], slug: str) -> None:
    report = check(PROBE, {"dW1": RIGHT["dW1"].ravel(order=order)})

    assert report.verdict == "wrong"
    assert slugs(report) == [slug]
    assert report.mistakes[0].mistake.convention == (order == "C")


def test_columns_read_as_rows_are_recognised_in_the_right_shape() -> None:
    report = check(PROBE, {"dW2": RIGHT["dW2"].ravel(order="F").reshape(RIGHT["dW2"].shape)})

    assert slugs(report) == ["fortran-order"]


def test_a_square_tensor_may_be_transposed_too() -> None:
    given = network(D=5, H=5)

    report = check(given, {"dW1": right(given)["dW1"].T})

    assert slugs(report) == ["transposed"]


def test_exchanged_tensors_are_recognised_by_their_shapes() -> None:
    report = check(PROBE, {"dW1": RIGHT["dW2"], "dW2": RIGHT["dW1"]})

    assert slugs(report) == ["tensors-swapped"]


def test_exchanged_tensors_are_recognised_by_their_numbers_where_shapes_agree() -> None:
    given = network(H=4, C=4)

    report = check(given, {"db1": right(given)["db2"], "db2": right(given)["db1"]})

    assert slugs(report) == ["tensors-swapped"]


def test_a_bias_with_as_many_entries_as_rows_is_answered() -> None:
    """It is taken for a sum over the wrong axis, which has that shape."""
    given = network(N=5, C=5)

    report = check(given, {"db1": right(given)["db2"]})

    assert report.verdict == "wrong"


@pytest.mark.parametrize("shape", [(1, -1), (-1, 1)])
def test_an_axis_of_length_1_changes_nothing(shape: tuple[int, int]) -> None:
    """keepdims=True, or a column in place of a vector."""
    assert check(PROBE, {"db2": RIGHT["db2"].reshape(shape)}).verdict == "right"


def test_a_jacobian_with_its_rows_last_is_recognised() -> None:
    posed = probe("jacobian", 0)

    report = check(posed, {"jacobian": np.moveaxis(right(posed.given)["jacobian"], 0, -1)})

    assert slugs(report) == ["transposed"]


@pytest.mark.parametrize(
    ("name", "meant"), [("dw1", "dW1"), ("db_2", "db2"), ("delta_3", "delta3"), ("W2", "dW2")]
)
def test_a_wrong_name_is_refused_with_the_nearest_right_one(name: str, meant: str) -> None:
    with pytest.raises(InvalidInputError, match=f"did you mean {meant}\\?") as refused:
        check(PROBE, {name: RIGHT["dW1"]})

    assert refused.value.reason == "unknown-field"


@pytest.mark.parametrize("shape", [(2, 3), (), (0,), (3, 0), (2, 2, 2)])
def test_any_other_shape_is_refused_with_what_was_expected(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check(PROBE, {"dW1": np.zeros(shape)})

    assert refused.value.reason == "wrong-shape"
    assert f"expected shape {RIGHT['dW1'].shape}, got {shape}" in str(refused.value)


def test_nothing_is_refused_with_what_can_be_asked_for() -> None:
    with pytest.raises(InvalidInputError, match="expected at least one of dW1, db1, dW2, db2"):
        check(PROBE, {})


@pytest.mark.parametrize("value", ["text", [1j], [None], [[1.0], [1.0, 2.0]], True])
def test_what_holds_no_numbers_is_refused(value: object) -> None:
    with pytest.raises(InvalidInputError):
        check(PROBE, {"db2": value})  # type: ignore[dict-item]  # on purpose
