"""The training loop, as something to iterate over."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from model.arrays import Float32s, Labels
from model.errors import DivergedError
from model.functions import Activation, cross_entropy
from model.network import Parameters, Trace, backward, forward
from model.training.calibration import fit_temperature
from model.training.optimizers import Optimizer, make_optimizer
from model.training.plan import Plan
from model.training.schedules import learning_rate_at

_EVALUATION_ROWS = 4096  # at a time, so that evaluating needs no more memory than it must


class Rows(NamedTuple):
    """Standardised features with their labels."""

    inputs: Float32s  # (N, D)
    labels: Labels  # (N,), class indices from 0


class Score(NamedTuple):
    """How well some rows are predicted once the logits are calibrated on them.

    That is the loss which would be served; the raw one only shows how smoothed targets were.
    """

    loss: float  # nats
    accuracy: float


class Epoch(NamedTuple):
    """One pass over the training rows. Losses are in nats, without smoothing or decay."""

    number: int  # from 1
    training_loss: float  # mean over the batches, while the weights were moving
    training_accuracy: float  # the same
    validation_loss: float | None  # calibrated; None when no rows were held out
    validation_accuracy: float | None
    learning_rate: float  # of the last update
    gradient_norm: float  # mean over the batches
    seconds: float


class Batch(NamedTuple):
    """What one update learned about itself."""

    loss: float
    correct: int
    gradient_norm: float


class Learner:
    """Weights on the move: one flat vector, seen as the four arrays, and its optimizer.

    Attributes:
        parameters: views into the flat vector; they change with every step.
    """

    def __init__(self, start: Parameters, activation: Activation, plan: Plan) -> None:
        self.activation = activation
        self.plan = plan
        self.flat: Float32s = np.concatenate([array.ravel() for array in start])
        self.gradient = np.empty_like(self.flat)
        self.parameters = _views(self.flat, start)
        self.optimizer: Optimizer = make_optimizer(plan, self.flat.size)
        classes = len(start.b2)
        smoothing = np.float32(plan.label_smoothing)
        self.targets = (1 - smoothing) * np.eye(classes, dtype=np.float32) + smoothing / classes

    @np.errstate(over="ignore", invalid="ignore")  # looked for in the loss
    def step(self, rows: Rows, learning_rate: float) -> Batch:
        """One update on one batch. Source: docs/mathematics.md, equations 12 to 17, 21, 22."""
        trace = forward(self.parameters, rows.inputs, self.activation)
        loss = cross_entropy(trace.z2, rows.labels)
        if not math.isfinite(loss):
            raise DivergedError(f"the loss became {loss}: {self._culprit(trace)} is not finite")

        y = self.targets[rows.labels]
        gradients = backward(self.parameters, rows.inputs, trace, y, self.activation)
        np.concatenate([array.ravel() for array in gradients], out=self.gradient)
        if self.plan.weight_decay:
            kept = 1 - learning_rate * self.plan.weight_decay
            np.multiply(self.parameters.W1, kept, out=self.parameters.W1)
            np.multiply(self.parameters.W2, kept, out=self.parameters.W2)
        self.optimizer.step(self.flat, self.gradient, learning_rate)

        correct = int((trace.z2.argmax(axis=1) == rows.labels).sum())
        return Batch(loss, correct, math.sqrt(np.dot(self.gradient, self.gradient)))

    def judge(self, rows: Rows) -> None:
        """Look at the weights after the last update of an epoch, which no loss has seen yet.

        Raises:
            DivergedError: they, or what they make of some rows, are not finite.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            trace = forward(self.parameters, rows.inputs, self.activation)
        if not (np.isfinite(self.flat).all() and np.isfinite(trace.z2).all()):
            raise DivergedError(f"{self._culprit(trace)} is not finite")

    def _culprit(self, trace: Trace) -> str:
        """The first tensor on the way from features to loss that is not finite."""
        tensors = {**self.parameters._asdict(), **trace._asdict()}
        order = ("W1", "b1", "z1", "a1", "W2", "b2", "z2")
        broken = [name for name in order if not np.isfinite(tensors[name]).all()]
        return broken[0] if broken else "the loss"


def train(
    learner: Learner, training: Rows, held_out: Rows, rng: np.random.Generator
) -> Iterator[Epoch]:
    """Run the plan, yielding after every epoch; `learner.parameters` are then its weights.

    Args:
        learner: changed in place.
        training: at least one row.
        held_out: never trained on; may have no rows.
        rng: shuffles.

    Raises:
        DivergedError: a loss was not finite; names the epoch and the first broken tensor.
    """
    size = learner.plan.batch_size
    steps = -(-len(training.labels) // size)
    for number in range(1, learner.plan.epochs + 1):
        order = rng.permutation(len(training.labels))
        batches = []
        for index in range(steps):
            rows = order[index * size : (index + 1) * size]
            rate = learning_rate_at(learner.plan, (number - 1) * steps + index, steps)
            batch = Rows(training.inputs[rows], training.labels[rows])
            try:
                batches.append(learner.step(batch, rate))
            except DivergedError as error:
                raise DivergedError(f"epoch {number}, step {index + 1}: {error}") from None
        try:
            learner.judge(batch)
            score = evaluate(learner, held_out)
        except DivergedError as error:
            raise DivergedError(f"epoch {number}: {error}") from None
        yield _summary(number, batches, len(order), rate, score)


def evaluate(learner: Learner, rows: Rows) -> Score | None:
    """Loss and accuracy of the current weights; None when there are no rows.

    Raises:
        DivergedError: a logit is not finite.
    """
    if not len(rows.labels):
        return None
    z2 = logits(learner.parameters, learner.activation, rows.inputs)
    if not np.isfinite(z2).all():
        raise DivergedError("the logits of the validation rows are not finite")
    calibrated = z2 / np.float32(fit_temperature(z2, rows.labels))
    accuracy = float(np.mean(z2.argmax(axis=1) == rows.labels))
    return Score(cross_entropy(calibrated, rows.labels), accuracy)


def logits(parameters: Parameters, activation: Activation, inputs: Float32s) -> Float32s:
    """(N, C) logits of (N, D) standardised features, in blocks of rows."""
    if not len(inputs):
        return np.empty((0, len(parameters.b2)), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # the caller judges the loss
        blocks = [
            forward(parameters, inputs[start : start + _EVALUATION_ROWS], activation).z2
            for start in range(0, len(inputs), _EVALUATION_ROWS)
        ]
    return np.concatenate(blocks)


def _views(flat: Float32s, like: Parameters) -> Parameters:
    ends = np.cumsum([array.size for array in like])
    parts = np.split(flat, ends[:-1])
    return Parameters(*(part.reshape(a.shape) for part, a in zip(parts, like, strict=True)))


def _summary(
    number: int, batches: list[Batch], rows: int, rate: float, score: Score | None
) -> Epoch:
    return Epoch(
        number=number,
        training_loss=sum(batch.loss for batch in batches) / len(batches),
        training_accuracy=sum(batch.correct for batch in batches) / rows,
        validation_loss=score.loss if score else None,
        validation_accuracy=score.accuracy if score else None,
        learning_rate=rate,
        gradient_norm=sum(batch.gradient_norm for batch in batches) / len(batches),
        seconds=0.0,
    )
