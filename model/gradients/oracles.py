"""Derivatives found without the chain rule, and a loss written without our own functions.

The rule kept here: nothing is shared with the code that is judged, so that no mistake can be in
both.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays import Float64s, Floats
from model.network import Parameters

Complex = NDArray[np.complexfloating[Any, Any]]  # Any: the precision of either part


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
        Exact to rounding wherever softmax is not saturated.

    Source: Squire and Trapp 1998.
    """
    return float(np.imag(function(at + 1j * _STEP * along)) / _STEP)


def reference_loss(
    parameters: Parameters, x: Float64s, y: Floats, activation: str, of: str
) -> Callable[[Complex], complex]:
    """Mean cross-entropy in nats as a function of one parameter, the others held fixed.

    Written anew, in complex arithmetic and through logsumexp.

    Args:
        parameters: float64, where to stand.
        x: (N, D).
        y: (N, C), target distributions; rows sum to 1.
        activation: `relu` or `tanh`.
        of: the parameter that may move, such as `W1`.

    Source: docs/mathematics.md, equations 1 to 6.
    """

    def loss(value: Complex) -> complex:
        W1, b1, W2, b2 = (
            value if name == of else array for name, array in parameters._asdict().items()
        )
        z1 = x @ W1 + b1
        a1 = np.tanh(z1) if activation == "tanh" else np.where(z1.real > 0, z1, 0)
        z2 = a1 @ W2 + b2

        shift = z2.real.max(axis=1, keepdims=True)
        logsumexp = np.log(np.exp(z2 - shift).sum(axis=1, keepdims=True)) + shift
        return complex((y * (logsumexp - z2)).sum() / len(x))

    return loss
