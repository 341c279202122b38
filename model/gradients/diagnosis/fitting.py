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

_FITTED = 2.0

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
    noise: float = 0.0  # absolute; what rounding may leave where terms of the right size cancel


class Fit(NamedTuple):
    """For each of K ways, the best prediction of one tensor."""

    names: list[Names]
    errors: Floats  # (K,), relative
    fits: NDArray[np.bool_]  # (K,)


def leeway(ways: Sequence[Way]) -> Floats:
    """(K,) how many times the tolerance each way is granted.

    A number that was fitted to a rounded answer brings an error of its own, about as large.
    """
    return np.array([_FITTED if way.free else 1.0 for way in ways])


def fit(posted: Posted, predictions: Sequence[Way], granted: Floats) -> Fit:
    """Choose a prediction for each of K ways; the first stands for nothing more being wrong.

    Args:
        posted: the tensor.
        predictions: (K, ...) each. Those of another shape than the tensor's are out.
        granted: (K,), times the tolerance.
    """
    ways = len(granted)
    possible = [way for way in predictions if way.value.shape[1:] == posted.value.shape]
    if not possible:
        return Fit([()] * ways, np.full(ways, np.inf), np.zeros(ways, bool))
    errors = np.stack(
        [distances(way.value, posted.value, posted.noise) for way in possible], axis=1
    )  # (K, M)
    chosen = errors.argmin(axis=1)
    if not possible[0].names:
        chosen = np.where(errors[:, 0] <= granted * posted.tolerance, 0, chosen)
    best = np.take_along_axis(errors, chosen[:, None], axis=1)[:, 0]
    return Fit([possible[i].names for i in chosen], best, best <= granted * posted.tolerance)


def distances(stack: Floats, value: Floats, noise: float = 0.0) -> Floats:
    """(K,) largest difference of each array of a stack, relative to the larger of the two.

    Differences up to the noise count as none.

    Infinite where an array of the stack holds infinity or NaN.
    """
    rows, flat = stack.reshape(len(stack), -1), value.ravel()
    size = np.maximum.reduce(np.abs(rows), axis=1)
    size = np.maximum(size, np.maximum.reduce(np.abs(flat)))
    size[size == 0] = 1.0
    difference = np.maximum.reduce(np.abs(rows - flat), axis=1)
    relative = np.maximum(difference - noise, 0.0) / size
    relative[np.isnan(relative)] = np.inf
    return relative
