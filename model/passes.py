"""Forward passes that keep only the answer: network.forward in place, for requests.

The textbook's version keeps every intermediate and makes a new array for each step. Here they are
overwritten, and what the last step knows beside the answer is handed on. For one row most of the
time goes into calls of NumPy, so its few logits are exponentiated by Python.
"""

import math
from typing import NamedTuple

import numpy as np

from model.arrays import Floats
from model.functions import Activation
from model.network import Parameters


class Alone(NamedTuple):
    """What a forward pass of one row answers."""

    logits: list[float]  # C
    probabilities: list[float]  # C
    largest: float  # of the probabilities


class Pass(NamedTuple):
    """What a forward pass answers."""

    logits: Floats  # (N, C)
    probabilities: Floats  # (N, C)
    largest: Floats  # (N, 1)  the largest probability of each row
    hidden: float  # sum of the squares of z1: no finite number where one of it is none


def passed(parameters: Parameters, x: Floats, activation: Activation) -> Pass:
    """From features to probabilities, as network.forward.

    Args:
        parameters: of the dtype of x, which the answer keeps.
        x: (N, D); it is not changed.
        activation: f.

    Source: docs/mathematics.md, equations 1 to 4.
    """
    z1 = np.dot(x, parameters.W1)
    z1 += parameters.b1
    flat = z1.reshape(-1)
    hidden = float(np.vdot(flat, flat))  # before z1 is overwritten

    z = np.dot(activation.overwrite(z1), parameters.W2)
    z += parameters.b2
    p = z - np.maximum.reduce(z, axis=1, keepdims=True)
    np.exp(p, out=p)
    # The largest logit has the power 1, so that its probability is 1 / sum.
    largest = 1 / np.add.reduce(p, axis=1, keepdims=True)
    p *= largest
    return Pass(z, p, largest, hidden)


def passed_alone(parameters: Parameters, x: Floats, activation: Activation) -> Alone:
    """The same for one row of which nothing overflows. x: (D,)."""
    z1 = np.dot(x, parameters.W1)
    z1 += parameters.b1
    z2 = np.dot(activation.overwrite(z1), parameters.W2).tolist()

    z = [product + b for product, b in zip(z2, parameters.b2.tolist(), strict=True)]
    most = max(z)
    powers = [math.exp(logit - most) for logit in z]
    largest = 1 / math.fsum(powers)
    return Alone(z, [power * largest for power in powers], largest)


def is_tame(parameters: Parameters, largest: float) -> bool:
    """Whether no weight is larger, and so few are added up that nothing overflows float32.

    With features and weights of at most 10^10 and 10^8 a logit is at most D H 10^26.
    """
    few = parameters.W1.size <= 10**11
    return few and all(np.abs(array).max() <= largest for array in parameters)
