"""Where a gradient is checked, and what is right there.

Three levels, each holding the one before: `jacobian` (logits), `loss` (with labels) and `network`
(from the inputs on). Everything is float64.
"""

from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from model.arrays import Floats, Labels
from model.errors import InvalidInputError
from model.functions import Activation, one_hot, softmax, softmax_jacobian
from model.gradients.chain import delta3, point_of_logits
from model.network import Parameters

Level = Literal["jacobian", "loss", "network"]
LEVELS: tuple[Level, ...] = get_args(Level)
Tensors: TypeAlias = dict[str, Floats]


class Output(NamedTuple):
    """The output layer: logits and what softmax makes of them."""

    z: Floats  # (N, C), logits
    p: Floats  # (N, C), softmax(z / T)
    T: float


class Loss(NamedTuple):
    """The output layer and its labels; delta3 = (p - y) / (N T)."""

    z: Floats  # (N, C)
    p: Floats  # (N, C)
    T: float
    labels: Labels  # (N,)
    y: Floats  # (N, C), one-hot
    delta3: Floats  # (N, C)


class Hidden(NamedTuple):
    """The hidden layer, the weights of both, and how strongly they decay."""

    parameters: Parameters
    activation: Activation
    x: Floats  # (N, D)
    z1: Floats  # (N, H)
    a1: Floats  # (N, H)
    slope: Floats  # (N, H), f'(z1)
    decay: float  # of W1 and W2, in the loss with a half


class Given(NamedTuple):
    """Where a gradient is checked."""

    level: Level
    output: Output
    loss: Loss | None  # from the level `loss` on
    hidden: Hidden | None  # at the level `network`

    @property
    def rows(self) -> int:
        """N."""
        return len(self.output.z)


def right_answers(given: Given) -> Tensors:
    """Every tensor that can be asked for, as it is right.

    Source: docs/mathematics.md, equations 9 and 12 to 17.
    """
    if given.loss is None:
        return {"jacobian": softmax_jacobian(given.output.z / given.output.T) / given.output.T}
    if given.hidden is None:
        return {"delta3": given.loss.delta3}
    return backprop(given.hidden, given.loss.delta3, given.hidden.slope)


def backprop(hidden: Hidden, delta3: Floats, slope: Floats) -> Tensors:
    """What follows from delta3 (..., N, C) and f'(z1) (..., N, H), however these were come by."""
    W1, _, W2, _ = hidden.parameters
    delta2 = (delta3 @ W2.T) * slope
    return {
        "dW1": hidden.x.T @ delta2 + hidden.decay * W1,
        "db1": delta2.sum(axis=-2),
        "dW2": hidden.a1.T @ delta3 + hidden.decay * W2,
        "db2": delta3.sum(axis=-2),
        "delta3": delta3,
        "delta2": delta2,
    }


class Passed(NamedTuple):
    """A batch and what a forward pass made of it."""

    x: Floats  # (N, D)
    z1: Floats  # (N, H)
    a1: Floats  # (N, H)
    z: Floats  # (N, C)


def at_network(
    parameters: Parameters,
    activation: Activation,
    passed: Passed,
    labels: Labels,
    *,
    T: float = 1.0,
    decay: float = 0.0,
) -> Given:
    """The point of a network whose forward pass has been made.

    Raises:
        InvalidInputError: `non-finite-result`: a logit is no finite number.
    """
    x, z1, a1, z = passed
    hidden = Hidden(parameters, activation, x, z1, a1, activation.derivative(z1, a1), decay)
    return at_logits("network", z, T, labels)._replace(hidden=hidden)


def at_logits(level: Level, z: Floats, T: float, labels: Labels | None) -> Given:
    """The point of bare logits (N, C), with labels from the level `loss` on.

    Raises:
        InvalidInputError: `wrong-width` or `non-finite-result`.
    """
    if z.shape[1] < 2:
        raise InvalidInputError("wrong-width", "expected at least 2 classes, got 1", name="given")
    with np.errstate(over="ignore", invalid="ignore"):
        finite = np.isfinite(z / T).all()
    if not finite:
        raise InvalidInputError("non-finite-result", "a logit overflows here", name="given")
    p = softmax(z / T)
    if labels is None:
        return Given(level, Output(z, p, T), None, None)
    right = delta3(point_of_logits(z / T, labels)) / T
    loss = Loss(z, p, T, labels, one_hot(labels, z.shape[1]).astype(np.float64), right)
    return Given(level, Output(z, p, T), loss, None)
