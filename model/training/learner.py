"""Weights on the move: one step of training, shared among threads where that pays."""

import math
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from model.arrays import Float32s, Floats, Labels
from model.errors import DivergedError
from model.functions import Activation
from model.network import Parameters, forward
from model.training.backprop import Backprop, Found, Layers, flattened, layers
from model.training.crew import Crew
from model.training.optimizers import make_optimizer
from model.training.plan import Plan
from model.training.rows import Rows, with_ones

_WORTH_A_THREAD = 2**23  # products of one step; with fewer, a second thread waits longer than works
_CACHED = 3 * 2**18  # bytes of activations that stay in the second cache


class Batch(NamedTuple):
    """What one update learned about itself."""

    loss: float
    correct: int
    gradient_norm: float


class Learner:
    """Weights on the move: one flat vector, seen as the four arrays, and what moves it.

    Attributes:
        flat: (P,), all weights.
        parameters: views of it; they change with every step.
        targets: (C, C), what is aimed at for each label.
        crew: the threads it works with.
    """

    def __init__(self, start: Parameters, activation: Activation, plan: Plan) -> None:
        self.activation = activation
        self.plan = plan
        self.flat: Float32s = flattened(start)
        self.layers = layers(self.flat, (*start.W1.shape, len(start.b2)))
        self.parameters = self.layers.parameters
        classes, smoothing = len(start.b2), np.float32(plan.label_smoothing)
        self.targets = (1 - smoothing) * np.eye(classes, dtype=np.float32) + smoothing / classes

        self.crew = Crew(_threads(plan, self.flat.size))
        self._gradients = [_Gradient(self.layers, plan) for _ in range(self.crew.size)]
        total, *others = (gradient.flat for gradient in self._gradients)
        self._moves = [
            _Move(self.layers, share, (self.flat, total, *others), plan)
            for share in _shares(self.flat.size, self.crew.size)
        ]

    def step(self, rows: Rows, learning_rate: float) -> Batch:
        """One update on one batch.

        What overflows is looked for in the loss; the caller tells NumPy not to warn of it.

        Raises:
            DivergedError: the loss is not finite; names the first broken tensor.

        Source: docs/mathematics.md, equations 12 to 17, 21 to 24.
        """
        x = with_ones(rows.inputs, len(self.layers.first) - 1)
        found = self._fill_gradients(x, rows.labels)
        loss = found.loss / len(rows.labels)
        if not math.isfinite(loss):
            raise DivergedError(f"the loss became {loss}: {self._culprit(x)} is not finite")

        return Batch(loss, found.correct, math.sqrt(self._move(learning_rate)))

    def _fill_gradients(self, x: Float32s, labels: Labels) -> Found:
        number, size = len(labels), self.crew.size
        if size == 1:  # a small step is over before tasks for a crew are written
            return self._gradients[0].of(x, labels, 1 / number)
        found = self.crew.run(
            [
                partial(gradient.of, x[share], labels[share], 1 / number)
                for gradient, share in zip(self._gradients, _shares(number, size), strict=True)
            ]
        )
        return Found(sum(part.loss for part in found), sum(part.correct for part in found))

    def _move(self, learning_rate: float) -> float:
        """Make the update; the square of the gradient's norm."""
        if self.crew.size == 1:
            return self._moves[0].make(learning_rate)
        return sum(self.crew.run([partial(move.make, learning_rate) for move in self._moves]))

    @np.errstate(over="ignore", invalid="ignore")
    def judge(self, rows: Rows) -> None:
        """Look at the weights after the last update of an epoch, which no loss has seen yet.

        Raises:
            DivergedError: they, or what they make of some rows, are not finite.
        """
        z2 = output(self.parameters, rows.inputs, self.activation)
        if not (np.isfinite(self.flat).all() and np.isfinite(z2).all()):
            raise DivergedError(f"{self._culprit(rows.inputs)} is not finite")

    def _culprit(self, inputs: Float32s) -> str:
        """The first tensor on the way from features to loss that is not finite."""
        trace = forward(self.parameters, inputs[:, : len(self.parameters.W1)], self.activation)
        tensors = {**self.parameters._asdict(), **trace._asdict()}
        order = ("W1", "b1", "z1", "a1", "W2", "b2", "z2")
        broken = [name for name in order if not np.isfinite(tensors[name]).all()]
        return broken[0] if broken else "the loss"


def output(parameters: Parameters, inputs: Floats, activation: Activation) -> Floats:
    """z2 (N, C) of rows (N, D) or (N, D + 1), where nothing else of the forward pass is needed.

    Source: docs/mathematics.md, equations 1 to 3.
    """
    W1, b1, W2, b2 = parameters
    return activation.overwrite(inputs[:, : len(W1)] @ W1 + b1) @ W2 + b2


class _Gradient:
    """One thread's part of the gradient: that of its rows."""

    def __init__(self, weights: Layers, plan: Plan) -> None:
        self.weights, self.plan = weights, plan
        self.shape = len(weights.first) - 1, *weights.W2.shape
        self.flat = np.zeros(sum(part.size for part in weights), weights.W2.dtype)
        self.whole = layers(self.flat, self.shape)
        self.block_flat = np.empty(0, self.flat.dtype)
        self.rows = 0  # that there is room for

    def of(self, x: Float32s, labels: Labels, share: float) -> Found:
        """Fill `flat` with the gradient of these rows, in blocks where that is quicker."""
        if not len(x):  # of a batch with fewer rows than there are threads
            self.flat[:] = 0
            return Found(0.0, 0)
        if len(x) > self.rows:
            self._make_room(len(x))
        if len(x) <= self.size:
            return self.backprop.gradient(x, labels, share, self.whole)
        loss, correct = self.backprop.gradient(
            x[: self.size], labels[: self.size], share, self.whole
        )
        for start in range(self.size, len(x), self.size):
            block = slice(start, start + self.size)
            more = self.backprop.gradient(x[block], labels[block], share, self.block)
            self.flat += self.block_flat
            loss, correct = loss + more.loss, correct + more.correct
        return Found(loss, correct)

    def _make_room(self, rows: int) -> None:
        self.rows, self.size = rows, _block(rows, self.shape[1], self.flat.size)
        smoothing = self.plan.label_smoothing
        self.backprop = Backprop(self.weights, self.plan.activation, smoothing, self.size)
        if self.size < rows:
            self.block_flat = np.empty_like(self.flat)
            self.block = layers(self.block_flat, self.shape)


class _Move:
    """One thread's part of the update: that of a share of the parameters."""

    def __init__(
        self, weights: Layers, share: slice, vectors: tuple[Float32s, ...], plan: Plan
    ) -> None:
        self.theta, self.gradient, *self.others = (vector[share] for vector in vectors)
        self.optimizer = make_optimizer(plan, len(self.theta))
        self.decay = plan.weight_decay
        sizes = weights.first[:-1].size, weights.first.size, weights.first.size + weights.W2.size
        self.decaying = [
            vectors[0][max(share.start, start) : min(share.stop, stop)]
            for start, stop in ((0, sizes[0]), (sizes[1], sizes[2]))
        ]

    def make(self, learning_rate: float) -> float:
        """Move the share; its part of the square of the gradient's norm."""
        for other in self.others:
            self.gradient += other
        if self.decay:
            for weights in self.decaying:
                np.multiply(weights, 1 - learning_rate * self.decay, out=weights)
        self.optimizer.step(self.theta, self.gradient, learning_rate)
        return float(np.dot(self.gradient, self.gradient))


def _threads(plan: Plan, parameters: int) -> int:
    """As many as the plan allows and the work of one step is worth."""
    products = 3 * plan.batch_size * parameters  # forward, and twice backward
    return max(1, min(plan.threads, products // _WORTH_A_THREAD))


def _block(rows: int, hidden: int, parameters: int) -> int:
    """Rows whose gradient is best computed at a time.

    The fewer, the longer their activations stay in the cache; but each block more is another
    gradient to add up.
    """
    fit = max(1, _CACHED // (9 * hidden))  # z1 and delta2 in float32, and a byte of the slope
    if rows <= fit or 4 * parameters > fit * hidden:
        return rows
    return -(-rows // -(-rows // fit))


def _shares(number: int, parts: int) -> list[slice]:
    """Cut so many into parts as equal as can be."""
    ends = [number * part // parts for part in range(parts + 1)]
    return [slice(start, stop) for start, stop in pairwise(ends)]
