"""Derivatives found without the chain rule, and a loss written without our own functions.

The rule kept here: nothing is shared with the code that is judged, so that no mistake can be in
both. Real steps, which need no complex arithmetic, are in differences.py.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from model.arrays import Float64s, Floats
from model.network import Parameters

# Any: the precision of either part.
Complex: TypeAlias = NDArray[np.complexfloating[Any, Any]]
Numbers: TypeAlias = NDArray[np.inexact[Any]]  # real or complex


class Objective(NamedTuple):
    """What a loss holds besides the cross-entropy."""

    temperature: float = 1.0  # T, which divides the logits
    weight_decay: float = 0.0  # lambda, on W1 and W2, in the loss


PLAIN = Objective()
_STEP = 1e-30  # so small that its square vanishes: the answer is exact to rounding


def complex_step_slope(function: Callable[[Complex], complex], at: Floats, along: Floats) -> float:
    """Slope of a real function along a direction, without the cancellation of differences.

        d/dt f(x + t d) at t = 0  =  Im f(x + i h d) / h

    Args:
        function: real on real arrays, and analytic: no abs, no conj, comparisons on real parts.
        at: (...), x.
        along: (...), d.

    Returns:
        As exact as the function computes its imaginary part: to rounding for `reference_loss`.

    Source: docs/mathematics.md, equation 34; Squire and Trapp 1998.
    """
    return float(np.imag(function(at + 1j * _STEP * along)) / _STEP)


def complex_step_gradient(function: Callable[[Complex], complex], at: Floats) -> Float64s:
    """Every partial derivative of a real function, by one complex step for each entry.

    Args:
        function: as for `complex_step_slope`.
        at: (...), x.

    Returns:
        (...), float64, of the shape of x. Costs one evaluation for each entry.

    Source: docs/mathematics.md, equation 34.
    """
    gradient = np.empty(at.shape)
    moved = at.astype(np.complex128)
    for index in np.ndindex(at.shape):
        moved[index] += 1j * _STEP
        gradient[index] = np.imag(function(moved)) / _STEP
        moved[index] = at[index]
    return gradient


def reference_loss(
    parameters: Parameters,
    x: Float64s,
    y: Floats,
    activation: str,
    of: str,
    objective: Objective = PLAIN,
) -> Callable[[Numbers], complex]:
    """The loss in nats as a function of one array, all others held fixed.

        1/N sum_n -y_n . log softmax(z2_n / T)  +  lambda/2 (sum W1^2 + sum W2^2)

    Written anew, for real or complex numbers. logsumexp is counted from the largest logit, whose
    own exponential is left out and enters as the 1 of log1p: so the slope keeps its digits where
    a label is nearly certain.

    Args:
        parameters: float64, where to stand.
        x: (N, D).
        y: (N, C), target distributions; rows sum to 1.
        activation: `relu` or `tanh`.
        of: the array that may move: a parameter such as `W1`, or `inputs`.
        objective: temperature and weight decay.

    Source: docs/mathematics.md, equations 1 to 6, 22 and 26.
    """
    held = {"inputs": x, **parameters._asdict()}
    rows = np.arange(len(x))

    def loss(value: Numbers) -> complex:
        inputs, W1, b1, W2, b2 = (value if name == of else held[name] for name in held)
        z1 = inputs @ W1 + b1
        a1 = np.tanh(z1) if activation == "tanh" else np.where(z1.real > 0, z1, 0)
        z = (a1 @ W2 + b2) / objective.temperature

        largest = z.real.argmax(axis=1)
        gaps = z - z[rows, largest][:, None]
        powers = np.exp(gaps)
        powers[rows, largest] = 0
        per_row = np.log1p(powers.sum(axis=1)) - (y * gaps).sum(axis=1)
        decay = objective.weight_decay / 2 * ((W1 * W1).sum() + (W2 * W2).sum())
        return complex(per_row.sum() / len(x) + decay)

    return loss
