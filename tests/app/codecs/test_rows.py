import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.codecs.documents import read_document
from app.codecs.flaws import Piece
from app.codecs.records import rows_of_records
from app.codecs.rows import (
    FLOAT32_LARGEST,
    FLOAT64_LARGEST,
    Limits,
    _carefully,
    is_below,
    quickly,
    rows_of,
)
from app.errors import RequestError

LIMITS = Limits(rows=100, cells=1000)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
text = st.text(st.characters(), max_size=3)  # surrogates too
cells = numbers | st.none() | st.booleans() | text
values = st.recursive(
    cells,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=3),
    max_leaves=20,
)


def matrix_of(value: Any, limits: Limits = LIMITS) -> Any:  # any JSON, a float64 array
    body = json.dumps({"inputs": value}).encode()
    return rows_of(read_document(body, ("inputs",)), "inputs", body, limits, FLOAT64_LARGEST).rows


@given(
    st.integers(1, 6).flatmap(
        lambda width: st.lists(st.lists(numbers, min_size=width, max_size=width), min_size=1)
    )
)
def test_every_number_arrives_as_python_reads_it(rows: list[list[float]]) -> None:
    limits = Limits(rows=10_000, cells=100_000)

    np.testing.assert_array_equal(matrix_of(rows, limits), np.array(rows, np.float64))


@given(values)
def test_the_quick_way_and_the_careful_way_agree(value: Any) -> None:  # any JSON
    """Whatever the quick way accepts, the careful way reads as the same matrix."""
    body = json.dumps({"inputs": value}).encode()
    try:
        document = read_document(body, ("inputs",))["inputs"]
    except RequestError:
        return
    if not hasattr(document, "as_buffer") or not len(document):
        return

    quick = quickly(document, body)

    if quick is not None:
        np.testing.assert_array_equal(quick, _carefully(document, Piece(b"", 0, "", 0)))


@given(values)
def test_anything_is_a_matrix_or_a_problem(value: Any) -> None:  # any JSON
    try:
        matrix = matrix_of(value)
    except RequestError:
        return

    assert matrix.ndim == 2
    assert matrix.dtype == np.float64
    assert np.isfinite(matrix).all()
    expected = value if isinstance(value[0], list) else [value]
    np.testing.assert_array_equal(matrix, np.array(expected, np.float64))


@pytest.mark.parametrize("size", [100, 101])
def test_the_limit_of_rows_is_exact(size: int) -> None:
    rows = [[1.0]] * size

    if size == 100:
        assert matrix_of(rows).shape == (100, 1)
    else:
        with pytest.raises(RequestError, match="at most 100 rows, got 101"):
            matrix_of(rows)


@pytest.mark.parametrize("size", [1000, 1001])
def test_the_limit_of_numbers_is_exact(size: int) -> None:
    row = [1.0] * size

    if size == 1000:
        assert matrix_of(row).shape == (1, 1000)
    else:
        with pytest.raises(RequestError, match="at most 1000 numbers, got 1001"):
            matrix_of(row)


def test_brackets_in_a_key_do_not_fool_the_count() -> None:
    body = b'{"inputs": [[1, 2], [3, 4]], "of": "[[["}'

    document = read_document(body, ("inputs", "of"))

    matrix = rows_of(document, "inputs", body, LIMITS, FLOAT64_LARGEST).rows
    np.testing.assert_array_equal(matrix, [[1, 2], [3, 4]])


@pytest.mark.parametrize("rows", [5, 6])
def test_the_limit_of_numbers_binds_records_too(rows: int) -> None:
    body = json.dumps({"records": [{"a": 1, "b": 2}] * rows}).encode()
    document = read_document(body, ("records",))

    if rows == 5:
        assert rows_of_records(document, ["a", "b"], Limits(rows=100, cells=10)).rows.shape == (
            5,
            2,
        )
    else:
        with pytest.raises(RequestError, match="at most 10 numbers, got 12"):
            rows_of_records(document, ["a", "b"], Limits(rows=100, cells=10))


def test_a_pointer_to_a_feature_is_escaped() -> None:
    document = read_document(b'{"records": [{"a/b~c": true}]}', ("records",))

    with pytest.raises(RequestError) as caught:
        rows_of_records(document, ["a/b~c"], LIMITS)

    assert caught.value.cells[0].pointer == "/records/0/a~1b~0c"


@pytest.mark.parametrize(
    ("number", "below"),
    [(1.0, True), (1e18, True), (3e38, False), (np.inf, False), (np.nan, False)],
)
def test_numbers_of_a_binary_tensor_are_compared_without_a_warning(
    number: float, below: bool
) -> None:
    """Their sum of squares is a float32, which cannot hold what it is compared with."""
    matrix = np.array([[1.0, number]], np.float32)

    assert is_below(matrix, FLOAT32_LARGEST) is below
