"""Nested JSON arrays of any depth to one float64 array."""

import numpy as np

from app.codecs.documents import Value, is_array, kind
from app.codecs.rows import number
from app.errors import Cell, RequestError
from model import Float64s


def nested_array(value: Value, pointer: str) -> Float64s:
    """A rectangular array of finite numbers; a single number has no axes.

    Args:
        value: of a document.
        pointer: where it stands there.

    Raises:
        RequestError: invalid-type or ragged-rows, with the first culprit.
    """
    shape, first = [], value
    while is_array(first) and len(first):
        shape.append(len(first))
        first = first[0]
    return _filled(value, tuple(shape), pointer)


def _filled(value: Value, shape: tuple[int, ...], pointer: str) -> Float64s:
    """What has this shape, as its first element has; anything else is ragged."""
    if not shape:
        return np.array(number(value, pointer))
    if not is_array(value) or len(value) != shape[0]:
        found = f"{len(value)} of them" if is_array(value) else kind(value)
        detail = f"expected an array of {shape[0]}, as its neighbours are, got {found}"
        raise RequestError("ragged-rows", f"{detail} at {pointer}", Cell(pointer, detail))
    return np.array([_filled(item, shape[1:], f"{pointer}/{i}") for i, item in enumerate(value)])
