"""Which of several predictions is what somebody computed.

A prediction is a stack: one array for each of K ways the step before may have gone. The rule kept
here: nothing more is wrong, unless that cannot be; then the closest.
"""

from collections.abc import Iterable, Sequence
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


class Predictions(NamedTuple):
    """M predictions of one tensor, compared in one go."""

    names: list[Names]  # M; () where nothing more is wrong
    values: Floats  # (M, K, ...)


class Fit(NamedTuple):
    """For each of K ways, the best prediction of one tensor."""

    names: list[Names]
    errors: Floats  # (K,), relative
    fits: NDArray[np.bool_]  # (K,)

    def of(self, some: NDArray[np.int64]) -> "Fit":
        """For some of the ways."""
        return Fit([self.names[k] for k in some], self.errors[some], self.fits[some])


def leeway(ways: Sequence[Way]) -> Floats:
    """(K,) how many times the tolerance each way is granted.

    A number that was fitted to a rounded answer brings an error of its own, about as large.
    """
    return np.array([_FITTED if way.free else 1.0 for way in ways])


def stacked(ways: Sequence[Way]) -> Floats:
    """(K, ...), from values of one shape; `np.stack` takes longer to make sure of the shapes."""
    return np.concatenate([way.value for way in ways]).reshape(len(ways), *ways[0].value.shape)


def fit(posted: Posted, predictions: Iterable[Predictions], granted: Floats) -> Fit:
    """Choose a prediction for each of K ways; the first stands for nothing more being wrong.

    Args:
        posted: the tensor.
        predictions: made one after the other, since each is large. Those of another shape than the
            tensor's are out.
        granted: (K,), times the tolerance.
    """
    names: list[Names] = []
    found: list[Floats] = []
    for some in predictions:
        if some.values.shape[2:] == posted.value.shape:
            names += some.names
            found.append(distances(some.values, posted.value, posted.noise))
    if not names:
        return Fit([()] * len(granted), np.full(len(granted), np.inf), np.zeros(len(granted), bool))
    errors, allowed = np.concatenate(found), granted * posted.tolerance  # (M, K), (K,)
    chosen = errors.argmin(axis=0)
    if not names[0]:
        chosen[errors[0] <= allowed] = 0
    best = errors[chosen, np.arange(len(granted))]
    return Fit([names[i] for i in chosen], best, best <= allowed)


def distances(stack: Floats, value: Floats, noise: float = 0.0) -> Floats:
    """Largest difference of each array of a stack, relative to the larger of the two.

    Args:
        stack: (K, ...) or (M, K, ...).
        value: (...).
        noise: differences up to it count as none.

    Returns:
        (K,) or (M, K); infinite where an array of the stack holds infinity or NaN.
    """
    flat = value.ravel()
    rows = stack.reshape(*stack.shape[: stack.ndim - value.ndim], len(flat))
    size = np.maximum.reduce(np.abs(rows), axis=-1)
    size = np.maximum(size, np.maximum.reduce(np.abs(flat)))
    size[size == 0] = 1.0
    difference = rows - flat
    difference = np.maximum.reduce(np.abs(difference, out=difference), axis=-1)
    relative = np.maximum(difference - noise, 0.0) / size
    relative[np.isnan(relative)] = np.inf
    return relative
