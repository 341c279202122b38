"""How much of a gradient is rounding: the relative error below which nobody can call it wrong.

The rule kept here: every bound follows from the sums themselves, and no tolerance is chosen. Each
array carries, entry by entry, the most that rounding may have moved it, for a program that works
in one precision of unit roundoff u (2^-24 for float32, 2^-53 for float64) and writes the formulas
as textbooks do: `a2 - y`, `1 - a1 * a1`. First order in u; what underflows is lost as well.
"""

from typing import NamedTuple

import numpy as np

from model.arrays import Floats
from model.functions import Activation, complement, softmax
from model.gradients.oracles import PLAIN, Objective
from model.network import Parameters

_CONFIDENCE = 4  # standard deviations of a random walk of roundings: less than once in 15,000
_ELEMENTARY = 8  # roundoffs in one exp or tanh: 4 units in the last place, as vector libraries have

# By u, half of the smallest number above 0 (of float64 all of it, for it cannot be halved).
_UNDERFLOW = {2.0**-11: 2.0**-25, 2.0**-24: 2.0**-150, 2.0**-53: 2.0**-1074}


class Floors(NamedTuple):
    """For each tensor, the largest error that rounding explains over the largest entry.

    0 for a tensor that is 0 and must come out as 0; infinite for one that is 0 but need not.
    """

    jacobian: float
    delta3: float
    dW2: float
    db2: float
    delta2: float
    dW1: float
    db1: float


class Bounded(NamedTuple):
    """An array and, entry by entry, the most that rounding may have moved it."""

    value: Floats
    error: Floats  # of the shape of `value`, at least 0

    @property
    def T(self) -> "Bounded":  # noqa: N802  # as NumPy calls it
        """Its transpose."""
        return Bounded(self.value.T, self.error.T)


def rounding_floors(
    parameters: Parameters,
    activation: Activation,
    x: Floats,
    y: Floats,
    unit_roundoff: float,
    objective: Objective = PLAIN,
) -> Floors:
    """Floors of the relative error of a gradient that was computed with one unit roundoff.

        floor = max |bound| / max |tensor|

    What was given counts as rounded once. A candidate may be called wrong when it is further than
    this from the truth, relative to its tensor's largest entry; nearer, it may be right. Against a
    float64 reference, which is rounded too, add the floor of 2^-53.

    Args:
        parameters: float64.
        activation: f.
        x: (N, D).
        y: (N, C), target distributions; rows sum to 1.
        unit_roundoff: u, half the gap between 1 and the next number.
        objective: temperature and weight decay.

    Source: docs/mathematics.md, equations 30 to 33.
    """
    u = unit_roundoff
    W1, b1, W2, b2 = (_given(array, u) for array in parameters)
    inputs = _given(x, u)

    a1, slope = _activated(activation, _plus(_product(inputs, W1, u), b1, u), u)
    p, others = _softmax(_plus(_product(a1, W2, u), b2, u), objective.temperature, u)

    delta3 = _delta3(p, others, y, objective.temperature, u)
    delta2 = _times(_product(delta3, W2.T, u), slope, u)

    return Floors(
        jacobian=_floor(_diagonal(p, others, objective.temperature, u)),
        delta3=_floor(delta3),
        dW2=_floor(_decayed(_product(a1.T, delta3, u), W2, objective.weight_decay, u)),
        db2=_floor(_sum_of_rows(delta3, u)),
        delta2=_floor(delta2),
        dW1=_floor(_decayed(_product(inputs.T, delta2, u), W1, objective.weight_decay, u)),
        db1=_floor(_sum_of_rows(delta2, u)),
    )


def jacobian_floor(logits: Floats, unit_roundoff: float, temperature: float = 1.0) -> float:
    """The floor of a softmax Jacobian written as diag(p) - p p^T, from the logits alone.

    Args:
        logits: (N, C), finite.
        unit_roundoff: u.
        temperature: T; the Jacobian is that of softmax(z / T) by z.

    Source: docs/mathematics.md, equations 31 and 33.
    """
    p, others = _softmax(_given(logits, unit_roundoff), temperature, unit_roundoff)
    return _floor(_diagonal(p, others, temperature, unit_roundoff))


def delta3_floor(
    logits: Floats, y: Floats, unit_roundoff: float, temperature: float = 1.0
) -> float:
    """The floor of delta3 = (a2 - y) / (N T), from the logits alone.

    Args: those of `jacobian_floor`, and y (N, C), target distributions whose rows sum to 1.

    Source: docs/mathematics.md, equations 31 and 33.
    """
    p, others = _softmax(_given(logits, unit_roundoff), temperature, unit_roundoff)
    return _floor(_delta3(p, others, y, temperature, unit_roundoff))


def _floor(tensor: Bounded) -> float:
    error, size = float(tensor.error.max()), float(np.abs(tensor.value).max())
    if error == 0:
        return 0.0
    return error / size if size else np.inf


def _given(array: Floats, u: float) -> Bounded:
    return Bounded(array, u * np.abs(array) + _lost(array, u))


def _lost(results: Floats, u: float, times: float = 1) -> Floats:
    """What each result may lose to underflow, so many times; a 0 is exact."""
    return np.where(results != 0, times * _UNDERFLOW.get(u, 0.0), 0.0)


def _product(a: Bounded, b: Bounded, u: float) -> Bounded:
    """A matrix product: what its factors bring, and the roundings of sums of n (equation 30)."""
    A, B, terms = np.abs(a.value), np.abs(b.value) + b.error, len(b.value)
    error = (a.error + _summed(terms, u) * (A + a.error)) @ B + A @ b.error
    return Bounded(a.value @ b.value, error + _lost(error, u, terms))


def _summed(terms: int, u: float) -> float:
    """The rounding of a sum relative to the sum of absolute values, whatever its order."""
    return u * min(terms, _CONFIDENCE * terms**0.5)


def _plus(a: Bounded, b: Bounded, u: float) -> Bounded:
    value = a.value + b.value
    return Bounded(value, a.error + b.error + u * np.abs(value))


def _times(a: Bounded, b: Bounded, u: float) -> Bounded:
    value = a.value * b.value
    inherited = a.error * (np.abs(b.value) + b.error) + np.abs(a.value) * b.error
    return Bounded(value, inherited + u * np.abs(value) + _lost(value, u))


def _sum_of_rows(a: Bounded, u: float) -> Bounded:
    rounding = _summed(len(a.value), u) * np.abs(a.value)
    return Bounded(a.value.sum(axis=0), (a.error + rounding).sum(axis=0))


def _decayed(gradient: Bounded, weights: Bounded, weight_decay: float, u: float) -> Bounded:
    """With lambda W added; lambda and the product are rounded too (equation 22)."""
    decay = weight_decay * weights.value
    return _plus(gradient, Bounded(decay, 3 * u * np.abs(decay) + _lost(decay, u)), u)


def _activated(activation: Activation, z1: Bounded, u: float) -> tuple[Bounded, Bounded]:
    """f(z1) and f'(z1), which change most at either end of where z1 may be, or nearest to 0.

    f(z1) has the error of z1 times the steepest slope it may have met, and f's own rounding. f'(z1)
    has how far it may differ there, and the cancellation of 1 - a1 * a1. For relu the first is 1
    where z1 is so close to the kink that rounding decides its sign, and 0 elsewhere; the second is
    0.

    Source: docs/mathematics.md, equation 32.
    """
    low, high = z1.value - z1.error, z1.value + z1.error
    within = np.array([low, high, np.minimum(np.maximum(low, 0), high), z1.value])
    values = activation.function(within)
    slopes = activation.derivative(within, values)
    a1, slope = values[-1], slopes[-1]

    # a1 enters squared, so its rounding counts twice; then the square and the difference round.
    own = _own_rounding(activation, u)
    cancelled = (2 * own + 2 * u) * a1**2 + u * slope if own else 0.0
    return (
        Bounded(a1, slopes[:-1].max(axis=0) * z1.error + own * np.abs(a1) + _lost(a1, u)),
        Bounded(slope, np.abs(slopes[:-1] - slope).max(axis=0) + cancelled),
    )


def _own_rounding(activation: Activation, u: float) -> float:
    return 0.0 if activation.name == "relu" else _ELEMENTARY * u


def _softmax(logits: Bounded, temperature: float, u: float) -> tuple[Bounded, Floats]:
    """softmax(z / T), by the first-order change of p under an error of each exponent; and 1 - p.

        p_i ((1 - p_i) e_i + sum_{k != i} p_k e_k + (C + 1) u)

    Source: docs/mathematics.md, equation 31.
    """
    z = logits.value / temperature
    p = softmax(z)
    others = complement(p)
    gaps = z.max(axis=-1, keepdims=True) - z

    exponent = logits.error / temperature + u * (2 * np.abs(z) + gaps + _ELEMENTARY)
    weighted = p * exponent
    by_others = weighted.sum(axis=-1, keepdims=True) - weighted
    relative = others * exponent + np.abs(by_others) + (p.shape[-1] + 1) * u
    return Bounded(p, np.minimum(p * relative + _lost(p, u, 2), 1.0)), others


def _delta3(p: Bounded, others: Floats, y: Floats, temperature: float, u: float) -> Bounded:
    """(a2 - y) / (N T): near a certain label the value vanishes, and the error of a2 stays."""
    value = np.where(y == 1, -others, p.value - y)
    scale = len(y) * temperature
    error = (p.error + u * np.abs(y) + 4 * u * np.abs(value)) / scale
    return Bounded(value / scale, error + _lost(value, u))


def _diagonal(p: Bounded, others: Floats, temperature: float, u: float) -> Bounded:
    """The diagonal of (diag(p) - p p^T) / T, which no entry off it exceeds, nor its bound.

    p - p^2 has the slope 1 - 2p, so the error of p enters at most once.
    """
    value = p.value * others
    error = p.error * (1 + p.error) + u * (p.value**2 + 3 * value)
    return Bounded(value / temperature, error / temperature + _lost(value, u, 2))
