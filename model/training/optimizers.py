"""Update rules, in place on one flat parameter vector.

In place because fresh arrays of this size cost more than the arithmetic: see docs/benchmarks.md.
Equation numbers are those of docs/mathematics.md.
"""

import math
from typing import Protocol

import numpy as np

from model.arrays import Float32s
from model.training.compiled import Later
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
        velocity, scratch = np.zeros(size, np.float32), np.empty(min(size, _PIECE), np.float32)
        self.pieces = [
            (piece, velocity[piece], scratch[: piece.stop - piece.start]) for piece in _pieces(size)
        ]

    def step(self, parameters: Float32s, gradient: Float32s, learning_rate: float) -> None:
        """Change `parameters` (P,) in place."""
        for piece, v, scratch in self.pieces:
            theta = parameters[piece]
            np.multiply(v, self.momentum, out=v)
            np.add(v, gradient[piece], out=v)
            theta -= np.multiply(v, learning_rate, out=scratch)


class Adam:
    """Adam with the paper's constants (Kingma and Ba 2015, algorithm 1).

    m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
    theta -= eta m' / (sqrt(v') + eps)  with m', v' corrected for their start at 0 (equation 24)

    What is kept is m / (1 - b1) and v / (1 - b2), which saves two multiplications of every entry;
    these factors go to where m' and v' are corrected, a number each.

    A long run goes on with `model.training.compiled`, where that is to be had.
    """

    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def __init__(self, size: int) -> None:
        self.steps = 0
        self.compiled = Later(self.beta1, self.beta2)
        self.mean, self.square = mean, square = np.zeros((2, size), np.float32)
        scratch = np.empty(min(size, _PIECE), np.float32)
        self.pieces = [
            (piece, mean[piece], square[piece], scratch[: piece.stop - piece.start])
            for piece in _pieces(size)
        ]

    def step(self, parameters: Float32s, gradient: Float32s, learning_rate: float) -> None:
        """Change `parameters` (P,) in place."""
        self.steps += 1
        to_mean = (1 - self.beta1) / (1 - self.beta1**self.steps)
        to_root = math.sqrt((1 - self.beta2) / (1 - self.beta2**self.steps))
        rate, epsilon = learning_rate * to_mean / to_root, self.epsilon / to_root
        if update := self.compiled.found:
            vectors = parameters, gradient, self.mean, self.square
            update(*vectors, np.float32(rate), np.float32(epsilon))
            return

        for piece, m, v, scratch in self.pieces:
            theta, g = parameters[piece], gradient[piece]
            np.multiply(m, _BETA1, out=m)
            np.add(m, g, out=m)
            np.multiply(v, _BETA2, out=v)
            np.add(v, np.multiply(g, g, out=scratch), out=v)

            np.sqrt(v, out=scratch)
            np.add(scratch, epsilon, out=scratch)
            np.divide(m, scratch, out=scratch)
            np.multiply(scratch, rate, out=scratch)
            np.subtract(theta, scratch, out=theta)
        self.compiled.moved(len(parameters))


# NumPy takes a number from an array without a look at what kind of number it is.
_BETA1, _BETA2 = np.array(Adam.beta1, np.float32), np.array(Adam.beta2, np.float32)


def make_optimizer(plan: Plan, size: int) -> Optimizer:
    """The optimizer that the plan names, for P = `size` parameters."""
    return Adam(size) if plan.optimizer == "adam" else Momentum(size, plan.momentum)


def _pieces(size: int) -> list[slice]:
    return [slice(start, min(start + _PIECE, size)) for start in range(0, size, _PIECE)]
