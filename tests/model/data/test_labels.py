import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.data.labels import Classes, Label, as_number, encode_labels
from model.errors import DatasetError


def place(row: int) -> str:
    return f"file: row {row}"


@pytest.mark.parametrize(
    ("raw", "classes"),
    [
        (["2", "10", "2"], (2, 10)),
        (["2.0", "10.0", "+2"], (2, 10)),
        ([" 1", "1 ", "0"], (0, 1)),
        (["1.5", "2", "-1e3"], (-1000.0, 1.5, 2.0)),
        (["2", "10", "cat"], ("10", "2", "cat")),
        (["True", "False"], ("False", "True")),
        (["1_0", "1"], ("1", "1_0")),
        (["inf", "1"], ("1", "inf")),
        (["12345678901234567891", "12345678901234567892"],) * 2,
        (["9" * 400, "1"], ("1", "9" * 400)),
        (["1e300", "5"], (5.0, 1e300)),
        ([3, 1, 3], (1, 3)),
        ([3.0, 1.0], (1, 3)),
        ([0.5, 1.0], (0.5, 1.0)),
    ],
)
def test_classes_are_sorted_and_take_the_simplest_type(raw: list[Label], classes: Classes) -> None:
    found = encode_labels(raw, place).classes

    assert found == tuple(classes)
    assert [type(value) for value in found] == [type(value) for value in classes]


def test_every_row_gets_the_index_of_its_class() -> None:
    indices = encode_labels(["b", "c", "a", "b "], place).indices

    assert indices.tolist() == [1, 2, 0, 1]
    assert indices.dtype == np.int64


@given(st.lists(st.text(st.characters(categories=["L"]), min_size=1), min_size=1))
def test_indices_point_back_to_the_labels(raw: list[str]) -> None:
    labels = [f"class {text}" for text in raw]

    classes, indices = encode_labels(labels, place)

    assert [classes[i] for i in indices] == labels


@pytest.mark.parametrize(
    ("label", "found"),
    [
        ("", "nothing"),
        (" \t", "nothing"),
        ("nan", "NaN"),
        ("-NaN", "NaN"),
        (float("nan"), "NaN"),
        (float("inf"), "an infinity"),
        ("caf\udce9", "not UTF-8"),
    ],
)
def test_an_unusable_label_is_located(label: Label, found: str) -> None:
    with pytest.raises(DatasetError, match=f"file: row 2: expected a label, found .*{found}"):
        encode_labels(["a", "b", label, "a", label], place)


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), (" 7.5 ", 7.5), ("-1e3", -1000.0), ("1_0", None), ("x", None), ("", None)],
)
def test_numbers_are_what_other_programs_read_as_numbers(text: str, number: float | None) -> None:
    assert as_number(text) == number


def test_digits_of_other_scripts_are_text() -> None:
    assert encode_labels(["٣", "1"], str).classes == ("1", "٣")
