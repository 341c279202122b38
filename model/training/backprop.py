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

from typing import NamedTuple, Protocol

import numpy as np

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
        layers: of the network; they may change between two calls.
    """

    def __init__(self, layers: Layers, activation: str, smoothing: float, rows: int) -> None:
        hidden, classes = layers.W2.shape
        dtype = layers.W2.dtype
        self.layers = layers
        self.smoothing = smoothing
        self.hidden_layer: _Hidden = _HIDDEN[activation](rows, hidden, dtype)
        self.z1, self.delta2 = np.zeros((2, rows, hidden), dtype)
        self.z2 = np.empty((rows, classes), dtype)
        self.by_class = np.empty(classes * rows, dtype)
        self.largest, self.total = np.empty((2, rows), dtype)
        self.ones = np.ones(rows, dtype)
        self.row_numbers = np.arange(rows)
        self.cells = np.empty(rows, np.int64)

    def gradient(self, x: Floats, labels: Labels, share: float, out: Layers) -> Found:
        """Gradient of the loss summed over some rows, times `share`.

        Args:
            x: (N, D + 1), the last column 1.
            labels: (N,), class indices from 0.
            share: of each row in the loss; 1/N for the mean over these rows.
            out: filled with the gradient.

        Source: docs/mathematics.md, equations 1 to 6, 12 to 17 and 21.
        """
        first, W2, b2 = self.layers
        n, delta2 = len(x), self.delta2[: len(x)]

        z1 = np.matmul(x, first, out=self.z1[:n])  # + b1, by the ones
        a1 = self.hidden_layer.activate(z1)
        z2 = np.matmul(a1, W2, out=self.z2[:n])
        delta3, found = self._output(z2, b2, labels, share)

        np.matmul(a1.T, delta3.T, out=out.W2)
        np.dot(delta3, self.ones[:n], out=out.b2)
        np.matmul(delta3.T, W2.T, out=delta2)
        self.hidden_layer.times_slope(delta2)
        np.matmul(x.T, delta2, out=out.first)  # and db1, by the ones
        return found

    def _output(self, z2: Floats, b2: Floats, labels: Labels, share: float) -> tuple[Floats, Found]:
        """From the logits without b2, (N, C), to delta3, transposed: (C, N)."""
        n, classes = z2.shape
        z = self.by_class[: classes * n].reshape(classes, n)
        largest, total = self.largest[:n], self.total[:n]
        cells = np.multiply(labels, n, out=self.cells[:n], dtype=np.int64)  # of the labels, in z
        cells += self.row_numbers[:n]

        np.add(z2.T, b2[:, None], out=z)
        z -= np.maximum.reduce(z, axis=0, out=largest)
        of_labels = z.reshape(-1)[cells]
        p = np.exp(z, out=z)
        np.add.reduce(p, axis=0, out=total)
        loss = np.log(total, out=largest).sum() - of_labels.sum()

        p *= np.divide(share, total, out=total)
        if self.smoothing:
            p -= share * self.smoothing / classes
        p.reshape(-1)[cells] -= share * (1 - self.smoothing)
        return p, Found(float(loss), n - int(np.count_nonzero(of_labels)))


class _Hidden(Protocol):
    """The hidden layer's activation, in place."""

    def activate(self, z1: Floats) -> Floats:
        """a1 (N, H) from z1 (N, H), which may be overwritten."""

    def times_slope(self, delta: Floats) -> None:
        """Multiply (N, H) in place by f'(z1) of the last z1."""


class _Relu:
    """Equation 18. What is left of z1 is where a1 is above 0."""

    def __init__(self, rows: int, hidden: int, dtype: np.dtype[np.floating]) -> None:
        self.a1 = np.empty((0, hidden), dtype)
        self.zeros = np.zeros((rows, hidden), dtype)  # a scalar would miss the fast loop
        self.on = np.empty((rows, hidden), bool)

    def activate(self, z1: Floats) -> Floats:
        self.a1 = np.maximum(z1, self.zeros[: len(z1)], out=z1)
        return self.a1

    def times_slope(self, delta: Floats) -> None:
        delta *= np.greater(self.a1, 0, out=self.on[: len(delta)])


class _Tanh:
    """Equation 19, which is exact where a unit is saturated."""

    def __init__(self, rows: int, hidden: int, dtype: np.dtype[np.floating]) -> None:
        self.z1 = np.empty((0, hidden), dtype)
        self.a1, self.scratch = np.empty((2, rows, hidden), dtype)

    def activate(self, z1: Floats) -> Floats:
        self.z1 = z1
        return np.tanh(z1, out=self.a1[: len(z1)])

    def times_slope(self, delta: Floats) -> None:
        e, scratch = np.abs(self.z1, out=self.z1), self.scratch[: len(delta)]
        e *= -2
        np.exp(e, out=e)
        delta *= e
        np.add(e, 1, out=scratch)
        scratch *= scratch
        delta /= scratch
        delta *= 4


_HIDDEN: dict[str, type[_Relu | _Tanh]] = {"relu": _Relu, "tanh": _Tanh}
