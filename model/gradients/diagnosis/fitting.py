"""Which of several predictions is what somebody computed.

A prediction is a stack: one array for each of K ways the step before may have gone. The rule kept
here: nothing more is wrong, unless that cannot be; then the closest.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from model.arrays import Floats
from model.gradients.mistakes.mistake import Mistake

Names: TypeAlias = tuple[Mistake, ...]


class Way(NamedTuple):
    """One way in which a step may have gone."""

    names: Names  # the mistakes on the way; () for the right one
    value: Floats
    free: int = 0  # how many of its numbers were fitted to the answer


class Posted(NamedTuple):
    """A tensor that is to be explained."""

    value: Floats
    tolerance: float  # relative to the largest entry


class Fit(NamedTuple):
    """For each of K ways, the best prediction of one tensor."""

    names: list[Names]
    errors: Floats  # (K,), relative
    fits: NDArray[np.bool_]  # (K,)


def fit(posted: Posted, predictions: Sequence[Way], ways: int) -> Fit:
    """Choose a prediction for each of K ways; the first stands for nothing more being wrong.

    Args:
        posted: the tensor.
        predictions: (K, ...) each. Those of another shape than the tensor's are out.
        ways: K.
    """
    possible = [way for way in predictions if way.value.shape[1:] == posted.value.shape]
    if not possible:
        return Fit([()] * ways, np.full(ways, np.inf), np.zeros(ways, bool))
    errors = np.stack([distances(way.value, posted.value) for way in possible], axis=1)  # (K, M)
    chosen = errors.argmin(axis=1)
    if not possible[0].names:
        chosen = np.where(errors[:, 0] <= posted.tolerance, 0, chosen)
    best = np.take_along_axis(errors, chosen[:, None], axis=1)[:, 0]
    return Fit([possible[i].names for i in chosen], best, best <= posted.tolerance)


def distances(stack: Floats, value: Floats) -> Floats:
    """(K,) largest difference of each array of a stack, relative to the larger of the two."""
    rows, flat = stack.reshape(len(stack), -1), value.ravel()
    size = np.maximum.reduce(np.abs(rows), axis=1)
    size = np.maximum(size, np.maximum.reduce(np.abs(flat)))
    difference = np.maximum.reduce(np.abs(rows - flat), axis=1)
    size[size == 0] = 1.0
    return difference / size
