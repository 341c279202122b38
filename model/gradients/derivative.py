"""Derivatives of one node of the network with respect to another, in float64."""

from typing import NamedTuple

from model.arrays import Floats
from model.functions import softmax, softmax_jacobian


class Derivative(NamedTuple):
    """The softmax Jacobian and where it was taken."""

    jacobian: Floats  # (N, C, C)
    logits: Floats  # (N, C)
    probabilities: Floats  # (N, C)


def softmax_derivative(logits: Floats) -> Derivative:
    """How the probabilities of every row move with its logits.

    Args:
        logits: (N, C), finite.

    Source: docs/mathematics.md, equation 9.
    """
    return Derivative(softmax_jacobian(logits), logits, softmax(logits))
