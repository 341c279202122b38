"""Tensors of the Open Inference Protocol: bytes or JSON to one array, judged here and nowhere else.

Binary tensors are little-endian and row by row. Numbers in JSON keep all their digits, also where
the datatype has fewer: they are the numbers that /predict would read.
"""

import struct
from typing import NamedTuple, NoReturn

import numpy as np

from app.codecs.documents import Value, is_array
from app.codecs.rows import (
    FLOAT32_LARGEST,
    Batch,
    Limits,
    check_cells,
    check_magnitude,
    matrix_of,
)
from app.errors import Cell, RequestError
from model import Floats

# How the bytes of each datatype are read. BF16, which NumPy lacks, is the upper half of an FP32.
DATATYPES = {
    "UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8",
    "INT8": "<i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8",
    "FP16": "<f2", "BF16": "<u2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip
_BINARY_ONLY = ("FP16", "BF16")
_EXACT = 2**53  # float64 holds every integer below


class Head(NamedTuple):
    """What a tensor says of itself."""

    datatype: str  # one of DATATYPES
    shape: tuple[int, int]  # (N, W), each at least 1
    pointer: str  # where it stands in the body

    @property
    def bytes(self) -> int:
        """How many it has in binary."""
        return self.shape[0] * self.shape[1] * np.dtype(DATATYPES[self.datatype]).itemsize


def head_of(datatype: Value, shape: Value, pointer: str, limits: Limits) -> Head:
    """The datatype and shape of an input, before any number of it is looked at.

    Raises:
        RequestError: invalid-value, invalid-type, wrong-rank, wrong-shape, empty-batch or
            batch-too-large.
    """
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        _refuse("invalid-value", f"{pointer}/datatype", f"one of {', '.join(DATATYPES)}")
    if not is_array(shape) or len(shape) != 2:
        _refuse("wrong-rank", f"{pointer}/shape", "two sizes, of the batch and of a row")
    rows, width = shape
    if type(rows) is not int or type(width) is not int or rows < 0 or width < 0:
        _refuse("wrong-shape", f"{pointer}/shape", "sizes that are integers, none negative")
    if rows == 0 or width == 0:
        _refuse("empty-batch", f"{pointer}/shape", "at least one row and one feature")

    if rows > limits.rows:
        detail = f"expected at most {limits.rows} rows"
        raise RequestError("batch-too-large", detail, Cell(f"{pointer}/shape", detail))
    check_cells(rows * width, limits)
    return Head(datatype, (rows, width), pointer)


def batch_of_json(head: Head, data: Value, body: bytes, elsewhere: int, limits: Limits) -> Batch:
    """An input from JSON, flat or nested as its shape says.

    Args:
        head: of the input.
        data: of the document.
        body: the bytes that the document was read from.
        elsewhere: arrays that the document is known to hold beside `data`.
        limits: refused beyond.

    Raises:
        RequestError: wrong-shape, or as for rows of numbers.
    """
    place = f"{head.pointer}/data"
    if head.datatype in _BINARY_ONLY:
        _refuse("invalid-value", f"{head.pointer}/datatype", f"{head.datatype} in binary")
    if not is_array(data) or len(data) == 0:
        _refuse("invalid-type", place, "an array of numbers")
    if len(data) > limits.cells:
        check_cells(len(data), limits)

    flat = not is_array(data[0])
    matrix = matrix_of(data, place, body, elsewhere)
    if matrix.size != head.shape[0] * head.shape[1] or not (flat or matrix.shape == head.shape):
        found = f"{matrix.size}" if flat else " x ".join(map(str, matrix.shape))
        detail = f"expected {head.shape[0]} x {head.shape[1]} numbers as in shape, got {found}"
        raise RequestError("wrong-shape", f"{detail} at {place}", Cell(place, detail))
    matrix = matrix.reshape(head.shape)
    check_magnitude(matrix, place, flat, FLOAT32_LARGEST)
    _check_integers(matrix, head, place)
    return Batch(matrix, place[1:], flat)


def batch_of_bytes(head: Head, body: bytes, offset: int) -> Batch:
    """An input from as many bytes of the body as it has, from `offset` on; they are not copied.

    Raises:
        RequestError: non-finite-input or number-out-of-range.
    """
    rows, width = head.shape
    numbers = np.frombuffer(body, DATATYPES[head.datatype], rows * width, offset)
    if head.datatype == "BF16":
        numbers = (numbers.astype("<u4") << 16).view("<f4")
    matrix = numbers.reshape(head.shape)
    if matrix.dtype.kind == "f":
        check_magnitude(matrix, head.pointer, flat=True, largest=FLOAT32_LARGEST)
    else:
        _check_exact(matrix, head.pointer)
    if matrix.dtype != np.float32:
        matrix = matrix.astype(np.float64)
    return Batch(matrix, head.pointer[1:], flat=True)


def _check_integers(matrix: Floats, head: Head, place: str) -> None:
    """Refuse in an integer tensor what is none, or is beyond its datatype."""
    dtype = np.dtype(DATATYPES[head.datatype])
    if dtype.kind == "f":
        return
    if (matrix != np.floor(matrix)).any():
        _refuse("invalid-value", place, f"integers, as {head.datatype} says")
    bounds = np.iinfo(dtype)
    if matrix.min() < bounds.min or matrix.max() > bounds.max:
        _refuse("number-out-of-range", place, f"integers from {bounds.min} to {bounds.max}")
    _check_exact(matrix, place)


def _check_exact(matrix: Floats, place: str) -> None:
    if matrix.min() <= -_EXACT or matrix.max() >= _EXACT:
        _refuse("number-out-of-range", place, "integers of at most 53 bits, which float64 holds")


def bytes_of_texts(texts: list[str]) -> bytes:
    """A BYTES tensor: each element after its length."""
    encoded = [text.encode() for text in texts]
    return b"".join(struct.pack("<I", len(text)) + text for text in encoded)


def _refuse(slug: str, place: str, expected: str) -> NoReturn:
    detail = f"expected {expected}"
    raise RequestError(slug, f"{detail} at {place}", Cell(place, detail))
