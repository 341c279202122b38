"""The output layer of somebody's program: softmax, targets, difference, division."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tests.verdicts.made import RIGHT, Array, Made, Real


class Rows(NamedTuple):
    """What a difference is made of."""

    z: Array  # (N, C)
    p: Array  # (N, C)
    y: Array  # (N, C)
    labels: Array  # (N,)
    T: Real
    form: int


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def exp_over(z: Array, axis: int | None) -> Array:
    e = np.exp(z)
    return e / e.sum(axis=axis, keepdims=True)


def less_the_largest_of_all(z: Array) -> Array:
    e = np.exp(z - z.max())
    return e / e.sum(axis=1, keepdims=True)


SOFTMAXES: dict[str, Callable[[Array, Real], Array]] = {
    RIGHT: lambda z, T: softmax(z / T),
    "double-softmax": lambda z, T: softmax(softmax(z / T)),
    "softmax-over-batch": lambda z, T: exp_over(z / T, 0),
    "softmax-over-everything": lambda z, T: exp_over(z / T, None),
    "temperature-ignored": lambda z, T: softmax(z),
    "temperature-multiplied": lambda z, T: softmax(z * T),
    "exp-overflow": lambda z, T: exp_over(z / T, 1),
    "shift-over-batch": lambda z, T: less_the_largest_of_all(z / T),
}


def one_hot(z: Array, columns: Array) -> Array:
    y = np.zeros_like(z)
    y[np.arange(len(z)), columns] = 1
    return y


def smoothed(y: Array, epsilon: float) -> Array:
    return y - y.dtype.type(epsilon) * (y - y.dtype.type(1 / y.shape[1]))


TARGETS: dict[str, Callable[[Array, Array, int], Array]] = {
    RIGHT: lambda z, labels, form: one_hot(z, labels),
    "labels-shifted": lambda z, labels, form: one_hot(z, (labels + (-1, 1)[form]) % z.shape[1]),
    "labels-smoothed": lambda z, labels, form: smoothed(one_hot(z, labels), (0.05, 0.1, 0.2)[form]),
}


def through_softmax(p: Array, g: Array) -> Array:
    """Row by row, with the whole Jacobian."""
    return np.stack([(np.diag(q) - np.outer(q, q)) @ v for q, v in zip(p, g, strict=True)])


def broadcast(s: Rows) -> Array:
    """Indices for one-hot rows: as a column, or as they come, where that is possible."""
    labels = s.labels.astype(s.p.dtype)
    return s.p - labels if s.form else s.p - labels[:, None]


DIFFERENCES: dict[str, Callable[[Rows], Array]] = {
    RIGHT: lambda s: s.p - s.y,
    "delta3-negated": lambda s: s.y - s.p,
    "double-softmax-backpropagated": lambda s: through_softmax(s.p, softmax(s.p) - s.y),
    "extra-softmax-derivative": lambda s: (s.p - s.y) * s.p * (1 - s.p),
    "stops-at-probabilities": lambda s: -s.y / s.p * (1, s.T)[s.form],
    "true-class-only": lambda s: -s.y / s.p * s.p * (1 - s.p),
    "wrong-classes-only": lambda s: np.where(s.y == 1, 0, s.p),
    "squared-error-diagonal": lambda s: 2 * (s.p - s.y) * s.p * (1 - s.p),
    "squared-error": lambda s: through_softmax(s.p, (2, 1)[s.form] * (s.p - s.y)),
    "one-vs-rest": lambda s: -s.y / s.p + (1 - s.y) / (1 - s.p),
    "logits-for-probabilities": lambda s: s.z / (s.T, 1)[s.form] - s.y,
    "labels-not-one-hot": broadcast,
    "labels-forgotten": lambda s: s.p,
    "rows-weighted": lambda s: (
        np.linspace(0.5, 1.7, len(s.p), dtype=s.p.dtype)[:, None] * (s.p - s.y)
    ),
}

# Of the sum over the rows to delta3; here N is len(d) and N C is d.size.
DIVISIONS: dict[str, Callable[[Array, Real, int], Array]] = {
    RIGHT: lambda d, T, form: d / len(d) / T,
    "sum-instead-of-mean": lambda d, T, form: d / T,
    "mean-taken-twice": lambda d, T, form: d / len(d) / len(d) / T,
    "mean-over-classes": lambda d, T, form: d / d.size / T,
    "classes-multiplied": lambda d, T, form: d * d.shape[1] / len(d) / T,
    "doubled": lambda d, T, form: 2 * d / len(d) / T,
    "halved": lambda d, T, form: d / (2 * len(d)) / T,
    "temperature-not-divided": lambda d, T, form: d / len(d),
    "temperature-divided-twice": lambda d, T, form: d / len(d) / T**2,
    "temperature-ignored": lambda d, T, form: d / len(d) / (T, 1)[form],
    "temperature-multiplied": lambda d, T, form: d / len(d) * (1 / T, T)[form],
}


def delta3_of(z: Array, labels: Array, T: Real, made: Made) -> Array:
    """dloss/dlogits, (N, C)."""
    p = made.line(SOFTMAXES)(z, T)
    y = made.line(TARGETS)(z, labels, made.form)
    d = made.line(DIFFERENCES)(Rows(z, p, y, labels, T, made.form))
    return made.line(DIVISIONS)(d, T, made.form)
