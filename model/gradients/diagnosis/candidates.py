"""Somebody's own gradient: its names and shapes made sure of, its layout undone.

A tensor may arrive transposed, flattened, under another's name, or with the shape that a mistake
gives it; all of these are answers. Any other shape is no answer.
"""

import itertools
import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from model.arrays import Floats
from model.errors import InvalidInputError
from model.gradients.given import Given, Tensors
from model.gradients.mistakes import layouts
from model.gradients.mistakes.mistake import Mistake
from model.gradients.reading import nearest, numbers

_OTHER = {
    "dW1": "dW2", "dW2": "dW1", "db1": "db2", "db2": "db1", "delta2": "delta3", "delta3": "delta2",
}  # fmt: skip


class Arrived(NamedTuple):
    """A tensor as it was posted, and as it would be under its own name in the right layout."""

    posted: Floats
    value: Floats
    layout: Mistake | None  # how the two differ


def read_candidate(
    given: Given, right: Tensors, candidate: Mapping[str, ArrayLike]
) -> dict[str, Arrived]:
    """The tensors of an answer, laid out like the right ones where that is all that differs.

    Args:
        given: where.
        right: the answers that can be asked for, by name.
        candidate: some of them, as numbers; NaN and infinity are numbers here.

    Raises:
        InvalidInputError: missing-field, unknown-field, invalid-type, ragged-rows or wrong-shape.
    """
    if not candidate:
        detail = f"expected at least one of {', '.join(right)}"
        raise InvalidInputError("missing-field", detail, name="candidate")
    for name in candidate:
        if name not in right:
            detail = f"expected {', '.join(right)}{nearest(str(name), tuple(right))}"
            raise InvalidInputError("unknown-field", detail, name=f"candidate/{name}")
    return {
        name: _arrived(given, right, name, numbers(value, f"candidate/{name}"))
        for name, value in candidate.items()
    }


def _arrived(given: Given, right: Tensors, name: str, posted: Floats) -> Arrived:
    wanted = right[name]
    if posted.shape == wanted.shape:
        return Arrived(posted, posted, None)
    if _without_ones(posted.shape) == _without_ones(wanted.shape):
        return Arrived(posted, posted.reshape(wanted.shape), None)
    for shape in _made_by_mistakes(given, name):
        if posted.size and _without_ones(posted.shape) == _without_ones(shape):
            return Arrived(posted, posted.reshape(shape), None)
    if posted.shape == (wanted.size,):
        return _unflattened(posted, wanted)
    if sorted(posted.shape) == sorted(wanted.shape):
        return Arrived(posted, _permuted(posted, wanted), layouts.TRANSPOSED)
    if name in _OTHER and posted.shape == right.get(_OTHER[name], wanted).shape:
        return Arrived(posted, posted, layouts.SWAPPED)
    detail = f"expected shape {wanted.shape}, got {posted.shape}"
    raise InvalidInputError("wrong-shape", detail, name=f"candidate/{name}")


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)


def _made_by_mistakes(given: Given, name: str) -> list[tuple[int, ...]]:
    """Shapes that mistakes of the catalogue give this tensor."""
    N, C = given.output.z.shape
    if name == "jacobian":
        return [(N, C)]
    if name in ("db1", "db2") and given.hidden is not None:
        width = C if name == "db2" else given.hidden.z1.shape[1]
        return [(N, width), (N,)]
    return []


def _unflattened(posted: Floats, wanted: Floats) -> Arrived:
    """Row by row or column by column, whichever is closer to what is right."""
    by_rows = posted.reshape(wanted.shape)
    by_columns = posted.reshape(wanted.shape, order="F")
    if likeness(by_columns, wanted) > likeness(by_rows, wanted):
        return Arrived(posted, by_columns, layouts.FORTRAN_ORDER)
    return Arrived(posted, by_rows, layouts.FLATTENED)


def _permuted(posted: Floats, wanted: Floats) -> Floats:
    orders = itertools.permutations(range(posted.ndim))
    turned = [np.transpose(posted, order) for order in orders]
    return max(
        (array for array in turned if array.shape == wanted.shape),
        key=lambda array: likeness(array, wanted),
    )


def likeness(values: Floats, wanted: Floats) -> float:
    """Cosine of the angle between two arrays; NaN counts as 0."""
    with np.errstate(all="ignore"):
        cosine = np.vdot(values, wanted) / math.sqrt(
            np.vdot(values, values) * np.vdot(wanted, wanted) or 1
        )
    return float(cosine) if np.isfinite(cosine) else 0.0


def other_layouts(values: Floats, wanted: Floats) -> list[tuple[Mistake, Floats]]:
    """Numbers of the right shape, read in other orders: (K, K) transposed, (N, K) by columns."""
    if values.ndim < 2:
        return []
    found = []
    for order in itertools.permutations(range(values.ndim)):
        turned = np.transpose(values, order)
        if turned.shape == wanted.shape and order != tuple(range(values.ndim)):
            found.append((layouts.TRANSPOSED, turned))
    by_columns = values.ravel().reshape(wanted.shape, order="F")
    return [*found, (layouts.FORTRAN_ORDER, by_columns)]
