"""The training loop, as something to iterate over."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from model.arrays import Float32s
from model.errors import DivergedError
from model.functions import Activation, cross_entropy
from model.network import Parameters, forward
from model.training.calibration import blocks, fit_temperature
from model.training.learner import Batch, Learner
from model.training.rows import Drawing, Rows, Source
from model.training.schedules import learning_rate_at

__all__ = ["Batch", "Epoch", "Learner", "Rows", "Score", "evaluate", "logits", "train"]


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
    for number in range(1, plan.epochs + 1):
        total = _Total()
        for step, batch in enumerate(drawing.batches(training, rng)):
            rate = learning_rate_at(plan, (number - 1) * steps + step, steps)
            try:
                total.add(learner.step(batch, rate))
            except DivergedError as error:
                raise DivergedError(f"epoch {number}, step {step + 1}: {error}") from None
        try:
            learner.judge(batch)
            score = evaluate(learner, held_out)
        except DivergedError as error:
            raise DivergedError(f"epoch {number}: {error}") from None
        yield Epoch(
            number=number,
            training_loss=total.loss / steps,
            training_accuracy=total.correct / number_of_rows,
            validation_loss=score.loss if score else None,
            validation_accuracy=score.accuracy if score else None,
            learning_rate=rate,
            gradient_norm=total.gradient_norm / steps,
            seconds=0.0,
        )


def evaluate(learner: Learner, rows: Source) -> Score | None:
    """Loss and accuracy of the current weights; None when there are no rows.

    Raises:
        DivergedError: a logit is not finite.
    """
    labels = rows.labels
    if not len(labels):
        return None
    z2 = logits(learner.parameters, learner.activation, rows)
    if not np.isfinite(z2).all():
        raise DivergedError("the logits of the validation rows are not finite")
    z2 /= np.float32(fit_temperature(z2, labels))
    loss, correct = 0.0, 0
    for block in blocks(labels):
        loss += cross_entropy(z2[block], labels[block]) * len(labels[block])
        correct += int(np.count_nonzero(z2[block].argmax(axis=1) == labels[block]))
    return Score(loss / len(labels), correct / len(labels))


def logits(parameters: Parameters, activation: Activation, rows: Source) -> Float32s:
    """(N, C) logits of all rows, in their order."""
    features, classes = len(parameters.W1), len(parameters.b2)
    with np.errstate(over="ignore", invalid="ignore"):  # the caller judges the loss
        found = [
            forward(parameters, x[:, :features], activation).z2 for x in rows.blocks() if len(x)
        ]
    return np.concatenate([np.empty((0, classes), np.float32), *found])


class _Total:
    """Sums over the batches of an epoch."""

    def __init__(self) -> None:
        self.loss, self.correct, self.gradient_norm = 0.0, 0, 0.0

    def add(self, batch: Batch) -> None:
        self.loss += batch.loss
        self.correct += batch.correct
        self.gradient_norm += batch.gradient_norm
