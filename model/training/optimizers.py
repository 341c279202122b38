"""Update rules, in place on one flat parameter vector.

In place because fresh arrays of this size cost more than the arithmetic: see docs/benchmarks.md.
Equation numbers are those of docs/mathematics.md.
"""

from typing import Protocol

import numpy as np

from model.arrays import Float32s
from model.training.plan import Plan


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
        self.scratch = np.empty(size, np.float32)

    def step(self, parameters: Float32s, gradient: Float32s, learning_rate: float) -> None:
        """Change `parameters` (P,) in place."""
        self.velocity *= self.momentum
        self.velocity += gradient
        np.multiply(self.velocity, learning_rate, out=self.scratch)
        parameters -= self.scratch


class Adam:
    """Adam with the paper's constants (Kingma and Ba 2015, algorithm 1).

    m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
    theta -= eta m' / (sqrt(v') + eps)  with m', v' corrected for their start at 0 (equation 24)
    """

    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def __init__(self, size: int) -> None:
        self.steps = 0
        self.mean = np.zeros(size, np.float32)
        self.square = np.zeros(size, np.float32)
        self.scratch = np.empty(size, np.float32)

    def step(self, parameters: Float32s, gradient: Float32s, learning_rate: float) -> None:
        """Change `parameters` (P,) in place."""
        self.steps += 1
        scratch = self.scratch

        self.mean *= self.beta1
        np.multiply(gradient, 1 - self.beta1, out=scratch)
        self.mean += scratch

        self.square *= self.beta2
        np.multiply(gradient, gradient, out=scratch)
        scratch *= 1 - self.beta2
        self.square += scratch

        np.sqrt(self.square, out=scratch)
        scratch *= 1 / np.sqrt(1 - self.beta2**self.steps)
        scratch += self.epsilon
        np.divide(self.mean, scratch, out=scratch)
        scratch *= learning_rate / (1 - self.beta1**self.steps)
        parameters -= scratch


def make_optimizer(plan: Plan, size: int) -> Optimizer:
    """The optimizer that the plan names, for P = `size` parameters."""
    return Adam(size) if plan.optimizer == "adam" else Momentum(size, plan.momentum)
