"""How sure the answers are: their entropy, and how many are certain to the last digit.

One answer at a time NumPy would take longer than all the rest of counting. So answers are kept
until there are some, or until a second has passed, and looked at together.
"""

import asyncio

import numpy as np

from app.observability.board import Board
from app.observability.layout import ENTROPY, SATURATED, Layout
from model import Float32s, Floats

_MOST_WAITING = 512  # answers; looking at them takes a fraction of a millisecond
_MOST_NUMBERS = 2**16  # probabilities of them together; some milliseconds, if they are so many
_MOST_SECONDS = 1.0
_MOST_PROBABILITIES = 4096  # of one answer; of a larger one as many rows as fit, evenly spaced


class Confidence:
    """Answers of late, and what is counted of them."""

    def __init__(self, layout: Layout, board: Board) -> None:
        self._numbers = board.numbers
        self._saturated = layout.start[SATURATED]
        self._entropy = layout.start[ENTROPY]
        self._waiting: list[Float32s] = []
        self._numbers_waiting = 0
        self._widths: set[int] = set()  # of those that wait
        self._timed = False  # whether they are looked at within a second, however few

    def note(self, probabilities: Float32s) -> None:
        """Look at an answer soon. probabilities: (N, C), which nobody changes any more."""
        if probabilities.size > _MOST_PROBABILITIES:
            probabilities = _some_rows(probabilities)
        if not self._timed:
            self._timed = True
            asyncio.get_running_loop().call_later(_MOST_SECONDS, self._look)
        self._waiting.append(probabilities)
        self._widths.add(probabilities.shape[1])
        self._numbers_waiting += probabilities.size
        if len(self._waiting) >= _MOST_WAITING or self._numbers_waiting >= _MOST_NUMBERS:
            self.flush()

    def _look(self) -> None:
        self._timed = False
        self.flush()

    def flush(self) -> None:
        """Look at all that wait."""
        waiting, self._waiting, self._numbers_waiting = self._waiting, [], 0
        widths, self._widths = self._widths, set()
        if len(widths) == 1:  # as where there is one model
            self._count(np.concatenate(waiting))
            return
        for classes in widths:
            self._count(np.concatenate([a for a in waiting if a.shape[1] == classes]))

    def _count(self, probabilities: Float32s) -> None:
        entropy = entropy_of(probabilities)
        buckets = np.bincount(
            np.searchsorted(ENTROPY.bounds, entropy), minlength=len(ENTROPY.bounds) + 1
        )
        self._numbers[self._saturated] += int((probabilities.max(axis=1) == 1).sum())
        for place, count in enumerate(buckets.tolist(), self._entropy):
            if count:
                self._numbers[place] += count
        self._numbers[self._entropy + len(ENTROPY.bounds) + 1] += float(entropy.sum())


def entropy_of(probabilities: Float32s) -> Floats:
    """(N,) nats of (N, C) probabilities, where a class that cannot be adds nothing."""
    p = probabilities.astype(np.float64)
    logarithms = np.log(p, where=p > 0, out=np.zeros_like(p))
    return np.maximum(0.0, -np.einsum("nc,nc->n", p, logarithms))


def _some_rows(probabilities: Float32s) -> Float32s:
    """A copy of as many rows as fit, of at least one, so that the others are not kept."""
    rows, classes = probabilities.shape
    most = max(1, _MOST_PROBABILITIES // classes)
    return probabilities[:: -(-rows // most)].copy()
