"""Nested JSON arrays of any depth to one float64 array."""

import math

import numpy as np

from app.codecs.cells import slices
from app.codecs.documents import Value, is_array, kind
from app.codecs.rows import number
from app.errors import Cell, RequestError
from model import Float64s

_DEEPEST = 4  # no derivative has more axes
_MOST_ARRAYS = 250_000  # each is read by itself, which takes a microsecond or two


def nested_array(value: Value, pointer: str, *, nulls: bool = False) -> Float64s:
    """A rectangular array of finite numbers; a single number has no axes.

    Args:
        value: of a document.
        pointer: where it stands there.
        nulls: whether null may stand for a number that JSON does not have: NaN.

    Raises:
        RequestError: invalid-type, wrong-rank, empty-batch, batch-too-large or ragged-rows, with
            the first culprit.
    """
    shape, first = [], value
    while is_array(first) and len(first):
        shape.append(len(first))
        first = first[0]
    if len(shape) > _DEEPEST:
        detail = f"expected arrays nested at most {_DEEPEST} deep"
        raise RequestError("wrong-rank", f"{detail} at {pointer}", Cell(pointer, detail))
    if is_array(first):
        detail = "expected numbers, got an empty array"
        raise RequestError("empty-batch", f"{detail} at {pointer}", Cell(pointer, detail))
    if math.prod(shape[:-1]) > _MOST_ARRAYS:
        detail = f"expected at most {_MOST_ARRAYS} arrays of numbers"
        raise RequestError("batch-too-large", f"{detail} at {pointer}", Cell(pointer, detail))
    return _filled(value, tuple(shape), pointer, nulls)


def _filled(value: Value, shape: tuple[int, ...], pointer: str, nulls: bool) -> Float64s:
    """What has this shape, as its first element has; anything else is ragged."""
    if not shape:
        return np.array(np.nan if nulls and value is None else number(value, pointer))
    if not is_array(value) or len(value) != shape[0]:
        found = f"{len(value)} of them" if is_array(value) else kind(value)
        detail = f"expected an array of {shape[0]}, as its neighbours are, got {found}"
        raise RequestError("ragged-rows", f"{detail} at {pointer}", Cell(pointer, detail))
    if len(shape) == 1 and (row := _quickly(value)) is not None:
        return row
    return np.array(
        [_filled(item, shape[1:], f"{pointer}/{i}", nulls) for i, item in enumerate(value)]
    )


def _quickly(row: Value) -> Float64s | None:
    """A row of numbers in one copy; None where it holds anything else."""
    parts = []
    for _, cells in slices(row):
        if not set(map(type, cells)) <= {int, float}:
            return None
        parts.append(np.array(cells, np.float64))
    return np.concatenate(parts)
