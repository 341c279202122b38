"""Weights in float64: made when they are asked for, and kept for as long as there is room."""

from collections.abc import Callable
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np

from model.arrays import Float64s
from model.network import Parameters


def folded(saved: Parameters, scale: Float64s, temperature: float) -> Parameters:
    """The weights in float64 that act on rows of this scale, centred.

    Args:
        saved: float32, acting on standardised rows, before the temperature.
        scale: (D,), positive.
        temperature: positive.

    Source: docs/mathematics.md, equation 28.
    """
    b1, W2, b2 = (array.astype(np.float64) for array in saved[1:])
    with np.errstate(over="ignore"):
        # W1 is widened on the way: a copy of it first would take as long again.
        return Parameters(saved.W1 / scale[:, None], b1, W2 / temperature, b2 / temperature)


class Folds:
    """The float64 weights of those that asked for theirs last.

    Weakly: when an owner is no longer in use, its weights go with it.
    """

    def __init__(self, most_bytes: int) -> None:
        """Keep as many as fit into `most_bytes`, or one that does not."""
        self._most_bytes = most_bytes
        self._kept: WeakKeyDictionary[object, Parameters] = WeakKeyDictionary()  # latest last
        self._lock = Lock()

    def of(self, owner: object, make: Callable[[], Parameters]) -> Parameters:
        """The weights of one owner, made now if they are not kept."""
        with self._lock:
            found = self._kept.pop(owner, None)
            if found is not None:
                self._kept[owner] = found
                return found

        found = make()
        with self._lock:
            self._kept[owner] = found
            self._shed()
        return found

    def _shed(self) -> None:
        sizes = {owner: sum(a.nbytes for a in weights) for owner, weights in self._kept.items()}
        total = sum(sizes.values())
        for owner in list(sizes)[:-1]:
            if total <= self._most_bytes:
                break
            total -= sizes[owner]
            self._kept.pop(owner, None)
