"""A wide network, explained by some of its units.

A mistake shows in every unit, so that 64 of 4,096 tell as much as all, and the time and memory that
an explanation takes stay bounded. The units of the worst entries are always among them. The verdict
itself looks at every entry.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays import Floats
from model.gradients.diagnosis.judging import Judged
from model.gradients.given import Given, Hidden, Tensors
from model.network import Parameters

_MOST = 64  # units of a layer, beside those of the worst entries

Indices = NDArray[np.int64]


class Part(NamedTuple):
    """Some features and some hidden units."""

    features: Indices
    hidden: Indices

    def of_tensors(self, tensors: Tensors) -> Tensors:
        """The entries of these units, by the names of the tensors."""
        return {name: self.of_tensor(name, array) for name, array in tensors.items()}

    def of_tensor(self, name: str, array: Floats) -> Floats:
        """The entries of these units; what a mistake gave another shape keeps its rows."""
        match name:
            case "dW1":
                return array[np.ix_(self.features, self.hidden)]
            case "dW2":
                return array[self.hidden]
            case "delta2":
                return array[:, self.hidden]
            case "db1" if array.ndim > 1:
                return array[:, self.hidden]
            case "db1" if len(array) > self.hidden.max():
                return array[self.hidden]
        return array

    def of_given(self, given: Given) -> Given:
        """The same point, seen by these units; logits and labels are those of the whole."""
        return given if given.hidden is None else given._replace(hidden=self._of(given.hidden))

    def _of(self, hidden: Hidden) -> Hidden:
        W1, b1, W2, b2 = hidden.parameters
        d, h = self.features, self.hidden
        return hidden._replace(
            parameters=Parameters(W1[np.ix_(d, h)], b1[h], W2[h], b2),
            x=hidden.x[:, d],
            z1=hidden.z1[:, h],
            a1=hidden.a1[:, h],
            slope=hidden.slope[:, h],
        )


def part_of(given: Given, judged: Mapping[str, Judged]) -> Part | None:
    """Some units of a wide network, those of the worst entries among them; None for all."""
    if given.hidden is None:
        return None
    D, H = given.hidden.parameters.W1.shape
    if max(D, H) <= _MOST:
        return None
    worst = {name: one.worst.index for name, one in judged.items() if one.worst is not None}
    features = [worst["dW1"][0]] if "dW1" in worst else []
    hidden = [
        worst[name][axis]
        for name, axis in (("dW1", 1), ("db1", -1), ("dW2", 0), ("delta2", 1))
        if name in worst
    ]
    return Part(_some(D, features), _some(H, hidden))


def _some(length: int, always: list[int]) -> Indices:
    spread = np.linspace(0, length - 1, min(length, _MOST)).round().astype(np.int64)
    return np.union1d(spread, np.array(always, np.int64))
