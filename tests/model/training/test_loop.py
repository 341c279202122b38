from collections.abc import Callable

import numpy as np
import pytest

from model import ACTIVATIONS, DivergedError, Parameters, backward, forward, initial_parameters
from model.training.loop import Batch, Learner, Rows, evaluate, train
from model.training.plan import Plan

RELU = ACTIVATIONS["relu"]


@pytest.fixture
def rows(rng: np.random.Generator) -> Rows:
    """Three clouds that a small network can tell apart."""
    labels = rng.integers(3, size=300)
    centres = np.array([[3, 0, 0, 0], [0, 3, 0, 0], [0, 0, 3, 0]])
    return Rows((centres[labels] + rng.normal(size=(300, 4))).astype(np.float32), labels)


@pytest.fixture
def learner(rng: np.random.Generator) -> Callable[[Plan], Learner]:
    start = initial_parameters((4, 6, 3), RELU, rng)
    return lambda plan: Learner(start, RELU, plan)


def test_an_update_is_gradient_descent_on_the_smoothed_targets(
    rows: Rows, learner: Callable[[Plan], Learner]
) -> None:
    plan = Plan(optimizer="sgd", momentum=0.0, label_smoothing=0.3, weight_decay=0.5)
    learning = learner(plan)
    start = Parameters(*(array.astype(np.float64) for array in learning.parameters))

    learning.step(rows, learning_rate=0.1)

    x = rows.inputs.astype(np.float64)
    y = 0.7 * np.eye(3)[rows.labels] + 0.1
    gradients = backward(start, x, forward(start, x, RELU), y, RELU)
    for name in Parameters._fields:
        decay = 0.1 * 0.5 if name.startswith("W") else 0.0
        expected = getattr(start, name) * (1 - decay) - 0.1 * getattr(gradients, name)
        # Sums of 300 products in float32.
        np.testing.assert_allclose(getattr(learning.parameters, name), expected, atol=1e-6)


def test_training_lowers_the_loss(
    rows: Rows, learner: Callable[[Plan], Learner], rng: np.random.Generator
) -> None:
    held_out = Rows(rows.inputs[:100], rows.labels[:100])
    epochs = list(train(learner(Plan(epochs=40, learning_rate=0.02)), rows, held_out, rng))

    assert [epoch.number for epoch in epochs] == list(range(1, 41))
    assert epochs[-1].training_loss < epochs[0].training_loss / 2
    assert epochs[-1].validation_accuracy is not None
    assert epochs[-1].validation_accuracy > 0.9


def test_every_row_is_seen_once_in_an_epoch(
    rows: Rows,
    learner: Callable[[Plan], Learner],
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learning = learner(Plan(epochs=1, batch_size=64))
    seen: list[int] = []
    plain_step = learning.step

    def watched(batch: Rows, learning_rate: float) -> Batch:
        seen.extend(batch.inputs[:, 0].tolist())
        return plain_step(batch, learning_rate)

    monkeypatch.setattr(learning, "step", watched)
    list(train(learning, rows, Rows(rows.inputs[:0], rows.labels[:0]), rng))

    assert sorted(seen) == sorted(rows.inputs[:, 0].tolist())


def test_without_validation_rows_there_is_no_score(
    rows: Rows, learner: Callable[[Plan], Learner]
) -> None:
    assert evaluate(learner(Plan()), Rows(rows.inputs[:0], rows.labels[:0])) is None


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
def test_divergence_names_the_tensor(
    name: str, rows: Rows, learner: Callable[[Plan], Learner]
) -> None:
    learning = learner(Plan())
    getattr(learning.parameters, name).fill(np.nan)

    with pytest.raises(DivergedError, match=f"{name} is not finite"):
        learning.step(rows, 0.1)


def test_divergence_says_when(
    rows: Rows, learner: Callable[[Plan], Learner], rng: np.random.Generator
) -> None:
    learning = learner(Plan(optimizer="sgd", learning_rate=1e30, warmup=0))

    with pytest.raises(DivergedError, match=r"epoch \d+, step \d+: the loss became"):
        list(train(learning, rows, rows, rng))
