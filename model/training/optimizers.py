"""Update rules, in place on one flat parameter vector.

In place because fresh arrays of this size cost more than the arithmetic: see docs/benchmarks.md.
Equation numbers are those of docs/mathematics.md.
"""

import math
from typing import Protocol

import numpy as np

from model.arrays import Float32s
from model.training.plan import Plan

_PIECE = 2**15  # parameters moved at a time: their five vectors stay in the second cache


class Optimizer(Protocol):
    """Something that moves parameters against their gradient."""

    def step(self, parameters: Float32s, gradient: Float32s, learning_rate: float) -> None:
        """Change `parameters` (P,) in place; `gradient` (P,) is left as it was."""


class Momentum:
    """Stochastic gradient descent with momentum; 0 is plain SGD.

    v = mu v + g;  theta -= eta v        (equation 23)
    """

    def __init__(self, size: int, momentum: float) -> None:
        self.momentum = momentum
        self.velocity = np.zeros(size, np.float32)
        self.scratch = np.empty(min(size, _PIECE), np.float32)

    def step(self, parameters: Float32s, gradient: Float32s, learning_rate: float) -> None:
        """Change `parameters` (P,) in place."""
        for piece in _pieces(len(parameters)):
            theta, g, v = parameters[piece], gradient[piece], self.velocity[piece]
            v *= self.momentum
            v += g
            theta -= np.multiply(v, learning_rate, out=self.scratch[: len(v)])


class Adam:
    """Adam with the paper's constants (Kingma and Ba 2015, algorithm 1).

    m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
    theta -= eta m' / (sqrt(v') + eps)  with m', v' corrected for their start at 0 (equation 24)

    What is kept is m / (1 - b1) and v / (1 - b2), which saves two multiplications of every entry;
    these factors go to where m' and v' are corrected, a number each.
    """

    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def __init__(self, size: int) -> None:
        self.steps = 0
        self.mean = np.zeros(size, np.float32)
        self.square = np.zeros(size, np.float32)
        self.scratch = np.empty(min(size, _PIECE), np.float32)

    def step(self, parameters: Float32s, gradient: Float32s, learning_rate: float) -> None:
        """Change `parameters` (P,) in place."""
        self.steps += 1
        to_mean = (1 - self.beta1) / (1 - self.beta1**self.steps)
        to_root = math.sqrt((1 - self.beta2) / (1 - self.beta2**self.steps))
        rate, epsilon = learning_rate * to_mean / to_root, self.epsilon / to_root

        for piece in _pieces(len(parameters)):
            theta, g, m, v = (a[piece] for a in (parameters, gradient, self.mean, self.square))
            scratch = self.scratch[: len(g)]
            m *= self.beta1
            m += g
            v *= self.beta2
            v += np.multiply(g, g, out=scratch)

            np.sqrt(v, out=scratch)
            scratch += epsilon
            np.divide(m, scratch, out=scratch)
            scratch *= rate
            theta -= scratch


def make_optimizer(plan: Plan, size: int) -> Optimizer:
    """The optimizer that the plan names, for P = `size` parameters."""
    return Adam(size) if plan.optimizer == "adam" else Momentum(size, plan.momentum)


def _pieces(size: int) -> list[slice]:
    return [slice(start, start + _PIECE) for start in range(0, size, _PIECE)]
