import math

import numpy as np
import pytest

from model.training.optimizers import make_optimizer
from model.training.plan import Plan
from model.training.schedules import learning_rate_at


def steps(plan: Plan, gradients: list[float], learning_rate: float) -> list[float]:
    """Where one parameter that starts at 1 goes."""
    parameter, path = np.ones(1, np.float32), []
    optimizer = make_optimizer(plan, 1)
    for gradient in gradients:
        optimizer.step(parameter, np.array([gradient], np.float32), learning_rate)
        path.append(float(parameter[0]))
    return path


def test_adam_follows_the_paper() -> None:
    gradients, m, v, theta, expected = [0.5, -0.25, 4.0], 0.0, 0.0, 1.0, []
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        theta -= 0.1 * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
        expected.append(theta)

    # Some ten float32 operations a step.
    assert steps(Plan(optimizer="adam"), gradients, 0.1) == pytest.approx(expected, rel=2e-6)


def test_sgd_keeps_its_momentum() -> None:
    path = steps(Plan(optimizer="sgd", momentum=0.5), [1.0, 1.0, 0.0], 0.1)

    # The velocities are 1, 1.5 and 0.75.
    assert path == pytest.approx([0.9, 0.75, 0.675], rel=1e-6)


@pytest.mark.parametrize("plan", [Plan(optimizer="adam"), Plan(optimizer="sgd")])
def test_the_gradient_is_left_as_it_was(plan: Plan) -> None:
    gradient = np.array([0.5, -2.0], np.float32)

    make_optimizer(plan, 2).step(np.ones(2, np.float32), gradient, 0.1)

    np.testing.assert_array_equal(gradient, np.array([0.5, -2.0], np.float32))


def test_warm_up_rises_in_a_line_to_the_peak() -> None:
    plan = Plan(learning_rate=1.0, warmup=2, epochs=10, schedule="constant")

    rates = [learning_rate_at(plan, step, 3) for step in range(8)]

    assert rates == pytest.approx([1 / 7, 2 / 7, 3 / 7, 4 / 7, 5 / 7, 6 / 7, 1, 1])


def test_the_cosine_falls_from_the_peak_towards_zero() -> None:
    plan = Plan(learning_rate=2.0, warmup=0, epochs=10)

    rates = [learning_rate_at(plan, step, 1) for step in range(10)]

    assert rates[0] == 2.0
    assert rates[5] == pytest.approx(1.0)
    assert 0 < rates[9] < 0.1
    assert rates == sorted(rates, reverse=True)


def test_a_warm_up_longer_than_the_run_still_ends() -> None:
    plan = Plan(learning_rate=1.0, warmup=50, epochs=3)

    assert max(learning_rate_at(plan, step, 4) for step in range(12)) == 1.0
