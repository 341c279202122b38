"""The way that is quick, held against the one that reads like the textbook."""

from collections.abc import Callable
from typing import Any  # Any: choices of a plan

import numpy as np
import pytest

from model import ACTIVATIONS, Float64s, Parameters, backward, forward, initial_parameters
from model.training import learner as module
from model.training.learner import Learner
from model.training.loop import Rows, train
from model.training.plan import Plan
from model.training.rows import Drawing
from model.training.schedules import learning_rate_at

SHAPE = 12, 20, 3


@pytest.fixture
def rows(rng: np.random.Generator) -> Rows:
    labels = rng.integers(3, size=200)
    centres = rng.normal(size=(3, 12))
    return Rows((centres[labels] + rng.normal(size=(200, 12))).astype(np.float32), labels)


@pytest.fixture
def learner() -> Callable[[Plan], Learner]:
    def made(plan: Plan) -> Learner:
        activation = ACTIVATIONS[plan.activation]
        start = initial_parameters(SHAPE, activation, np.random.default_rng(5))
        return Learner(start, activation, plan)

    return made


def textbook(rows: Rows, plan: Plan, rng: np.random.Generator) -> Parameters:
    """The whole fit in float64, straight from docs/mathematics.md, on the same batches."""
    f = ACTIVATIONS[plan.activation]
    start = initial_parameters(SHAPE, f, np.random.default_rng(5))
    theta = [array.astype(np.float64) for array in start]
    m, v = ([np.zeros_like(array) for array in theta] for _ in range(2))
    steps, t = -(-len(rows.labels) // plan.batch_size), 0
    drawing = Drawing(plan.batch_size, SHAPE[0] + 1)
    for _ in range(plan.epochs):
        for batch in drawing.batches(rows, rng):
            rate, t = learning_rate_at(plan, t, steps), t + 1
            gradients = _gradients(Parameters(*theta), batch, plan)
            for i, g in enumerate(gradients):
                if theta[i].ndim == 2:  # (22)
                    theta[i] *= 1 - rate * plan.weight_decay
                if plan.optimizer == "sgd":  # (23)
                    m[i] = plan.momentum * m[i] + g
                    theta[i] -= rate * m[i]
                else:  # (24)
                    m[i] = 0.9 * m[i] + 0.1 * g
                    v[i] = 0.999 * v[i] + 0.001 * g * g
                    root: Float64s = np.sqrt(v[i] / (1 - 0.999**t))
                    theta[i] -= rate * m[i] / (1 - 0.9**t) / (root + 1e-8)
    return Parameters(*theta)


def _gradients(parameters: Parameters, batch: Rows, plan: Plan) -> Parameters:
    f, x = ACTIVATIONS[plan.activation], batch.inputs[:, :12].astype(np.float64)
    share = plan.label_smoothing
    y = (1 - share) * np.eye(3)[batch.labels] + share / 3
    return backward(parameters, x, forward(parameters, x, f), y, f)


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"activation": "tanh", "weight_decay": 0.0},
        {"optimizer": "sgd", "learning_rate": 0.05, "label_smoothing": 0.0},
        {"optimizer": "sgd", "momentum": 0.0, "schedule": "constant", "activation": "tanh"},
        {"batch_size": 1000, "warmup": 0},
        {"threads": 2},
    ],
)
def test_a_whole_fit_is_the_textbooks(
    choices: dict[str, Any], rows: Rows, learner: Callable[[Plan], Learner],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(module, "_WORTH_A_THREAD", 1)
    plan = Plan(**{"epochs": 4, "batch_size": 30, "learning_rate": 0.01} | choices)
    learning = learner(plan)

    nothing = Rows(rows.inputs[:0], rows.labels[:0])
    list(train(learning, rows, nothing, np.random.default_rng(1)))
    learning.crew.close()

    expected = textbook(rows, plan, np.random.default_rng(1))
    for name in Parameters._fields:
        # 28 steps in float32. Adam divides by roots of small squares, which carry their rounding.
        found, wanted = getattr(learning.parameters, name), getattr(expected, name)
        np.testing.assert_allclose(found, wanted, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("size", [1, 2, 200])
def test_a_step_of_several_threads_is_that_of_one(
    threads: int, size: int, rows: Rows, learner: Callable[[Plan], Learner],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The sums have another order; a batch may have fewer rows than there are threads."""
    monkeypatch.setattr(module, "_WORTH_A_THREAD", 1)
    batch = Rows(rows.inputs[:size], rows.labels[:size])
    alone = learner(Plan(optimizer="sgd"))
    shared = learner(Plan(optimizer="sgd", threads=threads))

    expected, found = alone.step(batch, 0.1), shared.step(batch, 0.1)
    shared.crew.close()

    assert shared.crew.size == threads
    np.testing.assert_allclose(shared.flat, alone.flat, atol=1e-6)
    assert found == pytest.approx(expected, rel=1e-5)


def test_threads_give_the_same_bits_every_time(
    rows: Rows, learner: Callable[[Plan], Learner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WORTH_A_THREAD", 1)
    fits = []
    for _ in range(2):
        learning = learner(Plan(epochs=5, threads=2))
        list(train(learning, rows, rows, np.random.default_rng(1)))
        learning.crew.close()
        fits.append(learning.flat.tobytes())

    assert fits[0] == fits[1]


def test_little_work_is_left_to_one_thread(learner: Callable[[Plan], Learner]) -> None:
    assert learner(Plan(threads=8, batch_size=32)).crew.size == 1


def test_blocks_of_a_batch_make_up_its_gradient(
    rows: Rows, learner: Callable[[Plan], Learner], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = learner(Plan(optimizer="sgd")), learner(Plan(optimizer="sgd"))
    expected = whole.step(rows, 0.1)

    monkeypatch.setattr(module, "_block", lambda rows, hidden, parameters: 64)
    found = cut.step(rows, 0.1)

    np.testing.assert_allclose(cut.flat, whole.flat, atol=1e-6)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("rows", "hidden", "parameters", "expected"),
    [
        (1024, 300, 9_302, 256),  # wide activations, few parameters: in blocks
        (256, 800, 636_010, 256),  # to add up gradients would cost more
        (128, 128, 101_770, 128),  # in the cache as it is
        (10, 10**9, 10, 1),  # no block is smaller than a row
    ],
)
def test_blocks_are_cut_where_they_pay(
    rows: int, hidden: int, parameters: int, expected: int
) -> None:
    assert module._block(rows, hidden, parameters) == expected
