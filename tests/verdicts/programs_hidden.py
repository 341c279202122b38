"""The hidden layer of somebody's program, and what is made of every delta."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tests.verdicts.made import RIGHT, Array, Real

RATES = (0.1, 0.01)
LEAKS = (0.01, 0.1, 0.2)


class Hidden(NamedTuple):
    """The hidden layer as the forward pass left it."""

    x: Array  # (N, D)
    z1: Array  # (N, H)
    a1: Array  # (N, H)
    relu: bool
    form: int


def positive(values: Array) -> Array:
    return (values > 0).astype(values.dtype)


SLOPES: dict[str, Callable[[Hidden], Array]] = {
    RIGHT: lambda s: positive(s.z1) if s.relu else 1 - s.a1 * s.a1,
    "slope-omitted": lambda s: np.ones_like(s.z1),
    "slope-at-activation": lambda s: positive(s.a1) if s.relu else 1 - np.tanh(s.a1) ** 2,
    "slope-of-sigmoid": lambda s: s.a1 * (1 - s.a1),
    "mask-closed": lambda s: (s.a1 >= 0).astype(s.z1.dtype),
    "slope-inverted": lambda s: (s.z1 <= 0).astype(s.z1.dtype) if s.relu else s.a1**2,
    "slope-of-other-activation": lambda s: 1 - s.a1**2 if s.relu else positive(s.z1),
    "slope-unsquared": lambda s: 1 - s.a1,
    "slope-of-pre-activation": lambda s: 1 - s.z1**2,
    "activation-for-slope": lambda s: s.a1,
    "gradient-stopped": lambda s: np.zeros_like(s.z1),
    "mask-leaky": lambda s: np.where(s.z1 > 0, 1, s.z1.dtype.type(LEAKS[s.form])),
}

SOURCES: dict[str, Callable[[Hidden], Array]] = {
    RIGHT: lambda s: s.a1,
    "pre-activation-for-activation": lambda s: s.z1,
    "inputs-for-activation": lambda s: s.x,
}

# Of W2 and dW2: what delta3 is multiplied by.
BACK: dict[str, Callable[[Array, Array, int], Array]] = {
    RIGHT: lambda W2, dW2, form: W2.T,
    "weights-updated-first": lambda W2, dW2, form: (W2 - W2.dtype.type(RATES[form]) * dW2).T,
    "weights-not-transposed": lambda W2, dW2, form: W2,
}

# Of W, the weight decay and N.
DECAYS: dict[str, Callable[[Array, Real, int], Array]] = {
    RIGHT: lambda W, decay, N: decay * W,
    "decay-missing": lambda W, decay, N: 0 * W,
    "decay-doubled": lambda W, decay, N: 2 * decay * W,
    "decay-halved": lambda W, decay, N: decay / 2 * W,
    "decay-averaged": lambda W, decay, N: decay * W / N,
    "decay-negated": lambda W, decay, N: -decay * W,
}

# Of delta, the bias, the weight decay, and the form.
BIASES: dict[str, Callable[[Array, Array, Real, int], Array]] = {
    RIGHT: lambda delta, b, decay, form: delta.sum(axis=0),
    "bias-averaged": lambda delta, b, decay, form: delta.mean(axis=0),
    "bias-of-one-row": lambda delta, b, decay, form: delta[-form],
    "bias-not-summed": lambda delta, b, decay, form: delta,
    "bias-over-wrong-axis": lambda delta, b, decay, form: (
        delta.sum(axis=1) if form == 0 else np.full_like(b, delta.sum())
    ),
    "decay-on-biases": lambda delta, b, decay, form: delta.sum(axis=0) + decay * b,
}
