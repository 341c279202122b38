"""Forward and backward of `model.network`, as fast as NumPy goes, in arrays made once.

The same equations, and tests hold every result against `network.forward` and `network.backward`.
What differs, and what each difference gains, is in docs/decisions/0014-training-speed.md:

- Every result goes into an array that is there already: a fresh one costs more than its contents.
- The inputs end in a column of ones. With b1 below W1 as one matrix, the products with them add b1
  and give db1 on the way.
- What concerns classes is transposed, (C, N): there are few classes and many rows, and a reduction
  is quick only along many.

Equation numbers are those of docs/mathematics.md.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays import Floats, Labels
from model.network import Parameters


class Layers(NamedTuple):
    """A flat vector of all parameters, or of their gradient, seen as matrices."""

    first: Floats  # (D + 1, H)  W1, and below it b1
    W2: Floats  # (H, C)
    b2: Floats  # (C,)

    @property
    def parameters(self) -> Parameters:
        """The four arrays by their names; views too."""
        return Parameters(self.first[:-1], self.first[-1], self.W2, self.b2)


def flattened(parameters: Parameters) -> Floats:
    """(P,) W1, b1, W2, b2 one after the other, each row by row."""
    return np.concatenate([array.ravel() for array in parameters])


def layers(flat: Floats, shape: tuple[int, int, int]) -> Layers:
    """Views of the flat vector (P,) of a network of shape (D, H, C)."""
    features, hidden, classes = shape
    ends = np.cumsum([(features + 1) * hidden, hidden * classes])
    first, W2, b2 = np.split(flat, ends)
    return Layers(first.reshape(features + 1, hidden), W2.reshape(hidden, classes), b2)


class Found(NamedTuple):
    """What some rows showed on the way."""

    loss: float  # nats, summed over the rows; that of the labels, without smoothing
    correct: int  # rows of which no logit is above the label's


class Backprop:
    """Gradients of one network, for at most so many rows at a time.

    Attributes:
        layers: of the network; what they hold may change between two calls.
    """

    def __init__(self, layers: Layers, activation: str, smoothing: float, rows: int) -> None:
        self.layers = layers
        self.smoothing = smoothing
        self.ones = np.ones_like(layers.b2)
        self._whole = _room(rows, layers.W2, activation)
        self._rooms = {rows: self._whole}

    def gradient(self, x: Floats, labels: Labels, share: float, out: Layers) -> Found:
        """Gradient of the loss summed over some rows, times `share`.

        Args:
            x: (N, D + 1), the last column 1.
            labels: (N,), class indices from 0.
            share: of each row in the loss; 1/N for the mean over these rows.
            out: filled with the gradient.

        Source: docs/mathematics.md, equations 1 to 6, 12 to 17 and 21.
        """
        first, W2, _ = self.layers
        room = self._room_for(len(x))
        hidden, delta2 = room.hidden, room.delta2

        np.dot(x, first, out=hidden.z1)  # + b1, by the ones
        a1 = hidden.activate()
        np.dot(a1, W2, out=room.z2)
        found = self._output(room, labels, share)

        delta3 = room.by_class
        np.dot(a1.T, delta3.T, out=out.W2)
        np.dot(delta3, room.ones, out=out.b2)
        np.dot(delta3.T, W2.T, out=delta2)
        hidden.times_slope(delta2)
        np.dot(x.T, delta2, out=out.first)  # and db1, by the ones
        return found

    def _room_for(self, n: int) -> "_Room":
        """Kept, since there are few sizes: that of a batch, and that of the last one."""
        if n not in self._rooms:
            self._rooms[n] = self._whole.cut(n)
        return self._rooms[n]

    def _output(self, room: "_Room", labels: Labels, share: float) -> Found:
        """From the logits without b2, (N, C), to delta3 in `by_class`."""
        z, entries, own, scratch = room.by_class, room.entries, room.own, room.scratch
        # `clip`, because `raise` goes through a copy; no number is out of range.
        cells = room.starts.take(labels, out=room.cells, mode="clip")  # of the labels, in z
        np.add(cells, room.row_numbers, out=cells)

        np.add(room.z2.T, self.layers.b2[:, None], out=z)
        np.subtract(z, np.maximum.reduce(z, axis=0, out=scratch), out=z)
        entries.take(cells, out=own, mode="clip")
        p = np.exp(z, out=z)
        total = np.dot(self.ones, p, out=room.total)
        loss = np.dot(np.subtract(np.log(total, out=scratch), own, out=scratch), room.ones)

        np.multiply(p, np.divide(share, total, out=total), out=p)
        if self.smoothing:
            p -= share * self.smoothing / len(z)
        entries[cells] -= share * (1 - self.smoothing)
        return Found(float(loss), len(own) - int(np.count_nonzero(own)))


class _Room(NamedTuple):
    """Where the results for N rows go."""

    hidden: "_Relu | _Tanh"
    delta2: Floats  # (N, H)
    z2: Floats  # (N, C)  without b2
    by_class: Floats  # (C, N)  the logits, then the probabilities, then delta3
    entries: Floats  # (C N,)  the same in one row
    own: Floats  # (N,)  logits of the labels
    total: Floats  # (N,)
    scratch: Floats  # (N,)
    ones: Floats  # (N,)
    cells: NDArray[np.int64]  # (N,)
    row_numbers: NDArray[np.int64]  # (N,)
    starts: NDArray[np.int64]  # (C,)  of the classes, in `entries`

    def cut(self, n: int) -> "_Room":
        """Views for fewer rows."""
        entries = self.entries[: n * len(self.by_class)]
        cut = {name: getattr(self, name)[:n] for name in _BY_ROW}
        cut |= {"entries": entries, "by_class": entries.reshape(-1, n)}
        return _Room(hidden=self.hidden.cut(n), starts=n * np.arange(len(self.starts)), **cut)


_BY_ROW = "delta2", "z2", "own", "total", "scratch", "ones", "cells", "row_numbers"


def _room(rows: int, W2: Floats, activation: str) -> _Room:
    (hidden, classes), dtype = W2.shape, W2.dtype
    z1, delta2 = np.zeros((2, rows, hidden), dtype)
    own, total, scratch = np.empty((3, rows), dtype)
    entries = np.empty(classes * rows, dtype)
    return _Room(
        hidden=_HIDDEN[activation].around(z1),
        delta2=delta2,
        z2=np.empty((rows, classes), dtype),
        by_class=entries.reshape(classes, rows),
        entries=entries,
        own=own,
        total=total,
        scratch=scratch,
        ones=np.ones(rows, dtype),
        cells=np.empty(rows, np.int64),
        row_numbers=np.arange(rows),
        starts=rows * np.arange(classes),
    )


class _Relu(NamedTuple):
    """Equation 18, in place. What is left of z1 is where a1 is above 0."""

    z1: Floats  # (N, H)
    zeros: Floats  # (N, H); a scalar would miss the fast loop
    on: NDArray[np.bool_]  # (N, H)

    @classmethod
    def around(cls, z1: Floats) -> "_Relu":
        return cls(z1, np.zeros_like(z1), np.empty(z1.shape, bool))

    def cut(self, n: int) -> "_Relu":
        return _Relu(self.z1[:n], self.zeros[:n], self.on[:n])

    def activate(self) -> Floats:
        """a1 (N, H) from z1."""
        return np.maximum(self.z1, self.zeros, out=self.z1)

    def times_slope(self, delta: Floats) -> None:
        """Multiply (N, H) in place by f'(z1) of the last z1, which may be overwritten."""
        np.multiply(delta, np.greater(self.z1, self.zeros, out=self.on), out=delta)


class _Tanh(NamedTuple):
    """Equation 19, which is exact where a unit is saturated."""

    z1: Floats  # (N, H)
    a1: Floats  # (N, H)
    scratch: Floats  # (N, H)

    @classmethod
    def around(cls, z1: Floats) -> "_Tanh":
        return cls(z1, np.empty_like(z1), np.empty_like(z1))

    def cut(self, n: int) -> "_Tanh":
        return _Tanh(self.z1[:n], self.a1[:n], self.scratch[:n])

    def activate(self) -> Floats:
        """a1 (N, H) from z1."""
        return np.tanh(self.z1, out=self.a1)

    def times_slope(self, delta: Floats) -> None:
        """Multiply (N, H) in place by f'(z1) of the last z1, which is overwritten."""
        e, scratch = np.abs(self.z1, out=self.z1), self.scratch
        e *= -2
        np.exp(e, out=e)
        delta *= e
        np.add(e, 1, out=scratch)
        np.multiply(scratch, scratch, out=scratch)
        delta /= scratch
        delta *= 4


_HIDDEN: dict[str, type[_Relu | _Tanh]] = {"relu": _Relu, "tanh": _Tanh}
