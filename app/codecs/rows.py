"""JSON arrays to one float64 array: types, range and rectangle are judged here and nowhere else.

A batch that is right is copied once, by simdjson, without making a Python number of any cell.
Only a batch that is not is walked cell by cell, to name the first cell to blame.
"""

from typing import NamedTuple, NoReturn

import numpy as np

from app.codecs.cells import slices
from app.codecs.documents import Document, Value, is_array, kind, parse
from app.codecs.flaws import Piece
from app.codecs.lifting import Numbers
from app.errors import Cell, RequestError
from model import Float64s, Floats

# The largest number that rounds to a float32; its shortest print, 3.4028235e38, is one of them.
FLOAT32_LARGEST = float(np.nextafter(float.fromhex("0x1.ffffffp+127"), 0.0))
FLOAT64_LARGEST = float(np.finfo(np.float64).max)
_LONG = 2**13  # bytes of a text that NumPy is quicker with


class Batch(NamedTuple):
    """Rows as they were posted."""

    rows: Floats  # (N, W)
    field: str  # the key that held them
    flat: bool  # one row without brackets of its own

    def pointer(self, row: int | None) -> str:
        """Where a row, or the whole batch, stands in the body."""
        return f"/{self.field}" if row is None or self.flat else f"/{self.field}/{row}"


class Limits(NamedTuple):
    """How much one request may hold, and ask for."""

    body_bytes: int = 8 * 2**20
    rows: int = 4096
    cells: int = 4_000_000
    result_numbers: int = 1_000_000
    check_numbers: int = 250_000


def rows_of(document: Document, field: str, body: bytes, limits: Limits, largest: float) -> Batch:
    """A matrix of finite numbers; one flat row counts as a batch of one.

    Args:
        document: of `read_document`.
        field: the key that holds the rows.
        body: the bytes that the document was read from.
        limits: refused beyond.
        largest: magnitude that a number may have.

    Returns:
        Rows (N, W), N and W at least 1.

    Raises:
        RequestError: invalid-type, wrong-rank, empty-batch, wrong-width (an empty row),
            ragged-rows, batch-too-large or non-finite-input.
    """
    value = document[field]
    check_size(value, field, limits)
    matrix, flat = matrix_of(value, f"/{field}", body), not is_array(value[0])

    check_cells(matrix.size, limits)
    check_magnitude(matrix, f"/{field}", flat, largest)
    return Batch(matrix, field, flat)


def matrix_of(value: Value, pointer: str, body: bytes, elsewhere: int = 0) -> Float64s:
    """A rectangle of numbers; a flat row counts as a matrix of one.

    Args:
        value: an array that is not empty.
        pointer: where it stands.
        body: the bytes that the document was read from.
        elsewhere: arrays that the document is known to hold beside this one.

    Returns:
        (N, W), N and W at least 1.

    Raises:
        RequestError: invalid-type, wrong-rank, wrong-width (an empty row) or ragged-rows.
    """
    if isinstance(value, Numbers):
        return value.matrix(_rows_of_piece)
    matrix = quickly(value, body, elsewhere)
    return _carefully(value, Piece(body, 0, pointer, 0)) if matrix is None else matrix


def _rows_of_piece(text: bytes, piece: Piece) -> Float64s:
    """The rows of a piece of a matrix; of a piece of a row, one row."""
    value = parse(text, piece)
    matrix = quickly(value, text)
    return _carefully(value, piece) if matrix is None else matrix


def check_magnitude(matrix: Floats, pointer: str, flat: bool, largest: float) -> None:
    """Refuse a number beyond `largest`, and what is no number.

    Args:
        matrix: (N, W).
        pointer: where it stands.
        flat: whether its rows have no brackets of their own there.
        largest: a magnitude.

    Raises:
        RequestError: non-finite-input.
    """
    # No number is larger than the norm of all; to take it is one pass, without a copy.
    if is_below(matrix, largest):
        return
    # Comparing with NaN is never true.
    if matrix.min() >= -largest and matrix.max() <= largest:
        return
    row, column = np.argwhere(~(np.abs(matrix) <= largest))[0]
    place = f"{pointer}/{row * matrix.shape[1] + column if flat else f'{row}/{column}'}"
    cell = Cell(place, "too large for float32")
    raise RequestError("non-finite-input", f"the number at {place} overflows float32", cell)


def is_below(matrix: Floats, largest: float) -> bool:
    """Whether all numbers are certain to be of a smaller magnitude."""
    # vdot, unlike dot, overflows without a warning.
    return float(np.vdot(matrix, matrix)) < min(largest * largest, FLOAT64_LARGEST)


def check_size(value: Value, field: str, limits: Limits) -> None:
    """Refuse what is no array, an empty one, and one of too many rows.

    Raises:
        RequestError: wrong-rank, invalid-type, empty-batch or batch-too-large.
    """
    if not is_array(value):
        slug = "wrong-rank" if kind(value) == "a number" else "invalid-type"
        refuse(slug, f"/{field}", "an array of rows", value)
    if len(value) == 0:
        raise RequestError("empty-batch", "expected at least one row", Cell(f"/{field}", "empty"))
    one_flat_row = kind(value[0]) == "a number"
    if not one_flat_row and len(value) > limits.rows:
        raise RequestError(
            "batch-too-large", f"expected at most {limits.rows} rows, got {len(value)}"
        )


def check_cells(cells: int, limits: Limits) -> None:
    """Refuse more numbers than one request may hold.

    Raises:
        RequestError: batch-too-large.
    """
    if cells > limits.cells:
        raise RequestError(
            "batch-too-large", f"expected at most {limits.cells} numbers, got {cells}"
        )


def quickly(value: Value, body: bytes, elsewhere: int = 0) -> Float64s | None:
    """The matrix in one copy, or None when it is not certain that it is one.

    simdjson flattens whatever is nested, so the rectangle is proved by counting: all rows equally
    long, as many numbers as they hold, and no more brackets in the body than those rows have, and
    the arrays elsewhere.
    """
    try:
        flat = np.frombuffer(value.as_buffer(of_type="d"))
        length, brackets = len(value), brackets_in(body) - elsewhere
        if brackets == 1 and length:
            return flat.reshape(1, length)
        width = len(value[0])
        if width == 0 or brackets != length + 1:
            return None
        if length > 1 and {len(row) for row in value} != {width}:
            return None
        return flat.reshape(length, width)
    except (AttributeError, IndexError, TypeError, ValueError):  # no array, not of numbers, empty
        return None


def brackets_in(body: bytes) -> int:
    """How many arrays begin in a text, wherever that is."""
    if len(body) < _LONG:
        return body.count(b"[")
    # Which Python counts one byte after the other.
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord("[")))


def _carefully(value: Value, piece: Piece) -> Float64s:
    """The same cell by cell, with the first culprit named."""
    pointer = piece.pointer
    if not is_array(value[0]):
        return _row(value, pointer, piece.first)[None, :]
    rows: list[Float64s] = []
    width = piece.width
    for i, row in enumerate(value, piece.first):
        if not is_array(row):
            refuse("invalid-type", f"{pointer}/{i}", "an array of numbers", row)
        rows.append(_row(row, f"{pointer}/{i}"))
        width = len(rows[0]) if width is None else width
        if len(rows[-1]) != width:
            detail = f"expected {width} numbers as in row 0, got {len(rows[-1])} in row {i}"
            raise RequestError("ragged-rows", detail, Cell(f"{pointer}/{i}", detail))
    if not width:
        raise RequestError(
            "wrong-width",
            "expected rows of numbers, got an empty row",
            Cell(f"{pointer}/0", "empty"),
        )
    return np.array(rows)


def _row(row: Value, pointer: str, first: int = 0) -> Float64s:
    """One row; its types are compared at the speed of C, because hostile rows may be long."""
    parts = []
    for start, cells in slices(row):
        if not set(map(type, cells)) <= {int, float}:
            j = next(j for j, cell in enumerate(cells) if type(cell) not in (int, float))
            number(cells[j], f"{pointer}/{first + start + j}")
        parts.append(np.array(cells, np.float64))
    return np.concatenate(parts)


def number(value: Value, pointer: str) -> float:
    """A finite number of a document, or a RequestError that names its place."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        slug = "wrong-rank" if is_array(value) else "invalid-type"
        refuse(slug, pointer, "a number", value)
    return float(value)


def refuse(slug: str, pointer: str, expected: str, found: Value) -> NoReturn:
    """Refuse a value for what it is; never with the value itself."""
    detail = f"expected {expected}, got {kind(found)}"
    raise RequestError(slug, f"{detail} at {pointer}", Cell(pointer, detail))
