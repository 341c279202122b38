import numpy as np
import pytest

from model.data.dataset import Unlabelled, constant_columns, with_labels
from model.errors import DatasetError


def rows(count: int) -> Unlabelled:
    return Unlabelled(np.arange(2.0 * count).reshape(count, 2), ("x1", "x2"), "some.csv")


def place(row: int) -> str:
    return f"some.csv: row {row}"


def test_features_and_labels_are_joined() -> None:
    data = with_labels(rows(3), ["b", "a", "b"], place)

    assert data.inputs.shape == (3, 2)
    assert data.labels.tolist() == [1, 0, 1]
    assert data.classes == ("a", "b")
    assert data.kinds.tolist() == [0, 1]
    assert (data.features, data.source) == (("x1", "x2"), "some.csv")


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_rows_are_refused(count: int) -> None:
    with pytest.raises(DatasetError, match=rf"some\.csv: .*2 rows of data, found {count}"):
        with_labels(rows(count), ["a"] * count, place)


def test_one_class_only_is_refused_and_named() -> None:
    with pytest.raises(DatasetError, match=r"some\.csv: .*2 classes, found only 7 in all 3 rows"):
        with_labels(rows(3), [7, 7, 7], place)


def test_an_unusable_label_is_located() -> None:
    with pytest.raises(DatasetError, match=r"some\.csv: row 1: expected a label"):
        with_labels(rows(2), ["a", ""], place)


def test_columns_that_never_vary_are_found_unless_they_are_pixels() -> None:
    inputs = np.array([[1.0, 5.0, 0.0, 0.0], [2.0, 5.0, 0.0, 3.0]])
    data = with_labels(Unlabelled(inputs, None, "some.csv"), ["a", "b"], place)

    assert constant_columns(data) == [1, 2]
    assert constant_columns(data._replace(kinds=np.array([0, 1, 2, 2]))) == [1]
