"""Where an answer holds no numbers: what softmax loses when it is written without care."""

from functools import lru_cache
from typing import Any  # Any: either of two precisions

import numpy as np
from numpy.typing import NDArray

from model.arrays import Floats
from model.gradients.diagnosis.fitting import Names
from model.gradients.given import Given, Tensors
from model.gradients.mistakes import layouts
from model.gradients.mistakes.mistake import Mistake

Mask = NDArray[np.bool_]


def why_not_finite(given: Given, values: Tensors) -> Names:
    """What numbers that are none come from: those mistakes that leave none in just these places.

    Args:
        given: where.
        values: the answer; a tensor with all its numbers shows that softmax had them too.
    """
    if any(np.isfinite(value).all() for value in values.values()):
        return (layouts.NOT_FINITE,)
    for dtype in (np.float64, np.float32):
        for by_rows in (False, True):  # some programs lose the whole row with an entry
            found = tuple(
                mistake
                for mistake, lost in without_numbers(given, dtype).items()
                if lost.any() and _leaves(lost | (by_rows & _rows(lost)), values)
            )
            if found:
                return found
    return (layouts.NOT_FINITE,)


def without_numbers(given: Given, dtype: type[np.floating[Any]]) -> dict[Mistake, Mask]:
    """(N, C) what careless softmax leaves without a number, by the mistake, the likelier first.

    Infinity over infinity where a logit is too large for exp, 0 / 0 where all are too small.
    """
    smallest, largest = _exponents(np.dtype(dtype).name)
    z = given.output.z / given.output.T
    tops = z.max(axis=1, keepdims=True)
    nothing = np.zeros(z.shape, bool)
    causes = {
        layouts.OVERFLOW: (z > largest) | (tops < smallest),
        layouts.SHIFT_OVER_BATCH: (tops - tops.max() < smallest) | nothing,
    }
    return causes if (tops > largest).any() else dict(reversed(causes.items()))


@lru_cache
def _exponents(dtype: str) -> tuple[float, float]:
    """The least and the greatest number whose exponential is neither 0 nor infinity."""
    limits = np.finfo(dtype)
    return float(np.log(limits.smallest_subnormal)), float(np.log(limits.max))


def _rows(lost: Mask) -> Mask:
    return np.asarray(lost.any(axis=1, keepdims=True))


def _leaves(lost: Mask, values: Tensors) -> bool:
    """Whether these places (N, C) of the probabilities are what the answer shows."""
    rows, columns = lost.any(axis=1), lost.any(axis=0)
    expected = {"jacobian": rows, "delta2": rows, "delta3": lost, "dW2": columns, "db2": columns}
    shown = {name: _places(name, value) for name, value in values.items() if name in expected}
    return all(
        np.array_equal(places, expected[name])
        for name, places in shown.items()
        if places.shape == expected[name].shape
    )


def _places(name: str, value: Floats) -> Mask:
    """Without numbers: the rows of what has them, the columns of dW2, each entry of the others."""
    lost = np.asarray(~np.isfinite(value))
    if name in ("jacobian", "delta2"):
        return np.asarray(lost.reshape(len(lost), -1).any(axis=1))
    return np.asarray(lost.any(axis=0)) if name == "dW2" else lost
