"""The training loop, as something to iterate over."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from model.arrays import Float32s
from model.errors import DivergedError
from model.functions import Activation
from model.network import Parameters
from model.training.calibration import HeldOut
from model.training.learner import Batch, Learner, output
from model.training.rows import Drawing, Rows, Source
from model.training.schedules import learning_rate_at

__all__ = ["Batch", "Epoch", "Learner", "Rows", "Score", "evaluate", "logits", "train"]


class Score(NamedTuple):
    """How well some rows are predicted once the logits are calibrated on them.

    That is the loss which would be served; the raw one only shows how smoothed targets were.
    """

    loss: float  # nats
    accuracy: float
    temperature: float


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


def train(
    learner: Learner, training: Source, held_out: Source, rng: np.random.Generator
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
    plan, number_of_rows = learner.plan, len(training.labels)
    size = min(plan.batch_size, number_of_rows)
    drawing = Drawing(size, len(learner.parameters.W1) + 1)
    steps = -(-number_of_rows // size)
    temperature = 1.0
    for number in range(1, plan.epochs + 1):
        rates = [
            learning_rate_at(plan, (number - 1) * steps + step, steps) for step in range(steps)
        ]
        total = _pass(learner, drawing.batches(training, rng), rates, number)
        try:
            learner.judge(total.last)
            score = evaluate(learner, held_out, temperature)
        except DivergedError as error:
            raise DivergedError(f"epoch {number}: {error}") from None
        yield Epoch(
            number=number,
            training_loss=total.loss / steps,
            training_accuracy=total.correct / number_of_rows,
            validation_loss=score.loss if score else None,
            validation_accuracy=score.accuracy if score else None,
            learning_rate=rates[-1],
            gradient_norm=total.gradient_norm / steps,
            seconds=0.0,
        )
        if score:
            temperature = score.temperature  # it moves little from epoch to epoch


class _Total(NamedTuple):
    """Sums over the batches of an epoch."""

    loss: float
    correct: int
    gradient_norm: float
    last: Rows


@np.errstate(over="ignore", invalid="ignore")  # looked for in the loss
def _pass(learner: Learner, batches: Iterator[Rows], rates: list[float], number: int) -> _Total:
    """The updates of one epoch, whose number is only needed to say where it broke down."""
    loss, correct, gradient_norm = 0.0, 0, 0.0
    for step, (batch, rate) in enumerate(zip(batches, rates, strict=True), start=1):
        try:
            found = learner.step(batch, rate)
        except DivergedError as error:
            raise DivergedError(f"epoch {number}, step {step}: {error}") from None
        loss += found.loss
        correct += found.correct
        gradient_norm += found.gradient_norm
    return _Total(loss, correct, gradient_norm, batch)


def evaluate(learner: Learner, rows: Source, start: float = 1.0) -> Score | None:
    """How well the current weights do; None when there are no rows.

    Args:
        learner: whose weights.
        rows: not trained on.
        start: a temperature near the one that will be found; only the time depends on it.

    Raises:
        DivergedError: a logit is not finite.
    """
    labels = rows.labels
    if not len(labels):
        return None
    z2 = logits(learner.parameters, learner.activation, rows)
    if not np.isfinite(z2).all():
        raise DivergedError("the logits of the validation rows are not finite")
    held_out = HeldOut(z2, labels)
    temperature = held_out.temperature(start)
    correct = int(np.count_nonzero(z2.argmax(axis=1) == labels))
    return Score(held_out.loss(temperature), correct / len(labels), temperature)


def logits(parameters: Parameters, activation: Activation, rows: Source) -> Float32s:
    """(N, C) logits of all rows, in their order."""
    with np.errstate(over="ignore", invalid="ignore"):  # the caller judges the loss
        found = [output(parameters, x, activation) for x in rows.blocks() if len(x)]
    return np.concatenate([np.empty((0, len(parameters.b2)), np.float32), *found])
