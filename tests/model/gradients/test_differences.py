"""Real steps against complex ones, and the verdicts they allow."""

from typing import NamedTuple

import numpy as np
import pytest

from model import ACTIVATIONS, Float64s, Floats, Parameters, backward, forward
from model.gradients import (
    Kink,
    Objective,
    central_differences,
    complex_step_slope,
    crossed_kinks,
    reference_loss,
    taylor_remainder,
)
from model.gradients.differences import Function

OF = ("W1", "b1", "W2", "b2", "inputs")


class Case(NamedTuple):
    loss: Function
    at: Floats
    along: Floats
    slope: float


def random_case(activation: str, seed: int) -> Case:
    """A loss along a direction of one of its arrays, and its slope by a complex step."""
    rng = np.random.default_rng(seed)
    scale = 10 ** rng.uniform(-1, 1)
    W1, W2, b2 = (scale * rng.normal(size=size) for size in ((4, 7), (7, 3), (3,)))
    x, y = rng.normal(size=(5, 4)), np.eye(3)[rng.integers(3, size=5)]
    parameters, of = Parameters(W1, rng.normal(size=7), W2, b2), OF[seed % len(OF)]

    loss = reference_loss(parameters, x, y, activation, of, Objective(1.7, 0.01))
    at = x if of == "inputs" else getattr(parameters, of)
    along = rng.normal(size=at.shape)
    return Case(loss, at, along, complex_step_slope(loss, at, along))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_best_difference_is_off_by_no_more_than_it_says(activation: str) -> None:
    said = []

    for seed in range(200):
        loss, at, along, slope = random_case(activation, seed)
        found = central_differences(loss, at, along)
        assert abs(found.slope - slope) <= found.uncertainty, seed
        said.append(found.uncertainty / abs(slope))

    # The optimum of eps / h + h^2 is at eps^(2/3) = 4e-11.
    assert np.median(said) < 1e-8


def test_the_chosen_step_is_one_of_the_sweep() -> None:
    found = central_differences(*random_case("tanh", 0)[:3])

    chosen = found.steps.tolist().index(found.step)
    assert found.slope == found.slopes[chosen]
    assert found.uncertainty == found.uncertainties[chosen] == found.uncertainties.min()
    assert 0 < chosen < len(found.steps) - 1


def test_noise_widens_the_step_and_the_uncertainty() -> None:
    """A function that forgets all but 8 decimals must not be believed to more."""
    at, along = np.array([0.3]), np.array([1.0])

    exact = central_differences(lambda v: float(np.sin(v[0])), at, along)
    rounded = central_differences(lambda v: round(float(np.sin(v[0])), 8), at, along)

    assert rounded.step > exact.step
    assert rounded.uncertainty > 1e3 * exact.uncertainty
    assert abs(rounded.slope - np.cos(0.3)) <= rounded.uncertainty < 1e-3


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_right_gradient_has_order_2_and_a_wrong_one_order_1(activation: str) -> None:
    """0.6 % is the smallest error of a mistake seen in practice: W2 updated before it is used."""
    for seed in range(100):
        loss, at, along, slope = random_case(activation, seed)
        right = taylor_remainder(loss, at, along, slope).order
        wrong = taylor_remainder(loss, at, along, 1.006 * slope).order

        assert right is None or right > 1.5, seed  # None: the loss is straight there
        assert wrong is not None, seed
        assert 0.8 < wrong < 1.2, seed


def wrong_gradients(
    parameters: Parameters, x: Floats, y: Floats, right: Parameters
) -> dict[str, Parameters]:
    f = ACTIVATIONS["tanh"]
    trace = forward(parameters, x, f)
    stepped = parameters._replace(W2=parameters.W2 - 0.01 * right.W2)
    linear = f._replace(derivative=lambda z, a: np.ones_like(z))
    return {
        "sign": Parameters(*(-array for array in right)),
        "1/N left out": Parameters(*(len(x) * array for array in right)),
        "f' left out": right._replace(W1=backward(parameters, x, trace, y, linear).W1),
        "W2 already updated": right._replace(W1=backward(stepped, x, trace, y, f).W1),
        "decay of twice the size": right._replace(W1=right.W1 + 0.01 * parameters.W1),
    }


@pytest.fixture
def setting(
    parameters: Parameters, rng: np.random.Generator
) -> tuple[Parameters, Float64s, Float64s]:
    return parameters, rng.normal(size=(6, 4)), np.eye(5)[rng.integers(5, size=6)]


MISTAKES = (
    "sign", "1/N left out", "f' left out", "W2 already updated", "decay of twice the size"
)  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_backprop_has_order_1(
    mistake: str, setting: tuple[Parameters, Float64s, Float64s], rng: np.random.Generator
) -> None:
    parameters, x, y = setting
    tanh = ACTIVATIONS["tanh"]
    right = backward(parameters, x, forward(parameters, x, tanh), y, tanh)
    wrong = wrong_gradients(parameters, x, y, right)[mistake]
    loss, along = reference_loss(parameters, x, y, "tanh", "W1"), rng.normal(size=(4, 7))

    orders = [
        taylor_remainder(loss, parameters.W1, along, float(np.vdot(claimed.W1, along))).order
        for claimed in (right, wrong)
    ]

    assert orders == pytest.approx([2.0, 1.0], abs=0.02)


def test_a_straight_function_has_no_order() -> None:
    line = taylor_remainder(lambda v: 3 * v[0] + 1, np.array([0.7]), np.array([1.0]), 3.0)

    assert line.order is None
    assert (line.remainders <= line.floors).all()


def test_a_wrong_slope_of_a_straight_function_has_order_1() -> None:
    wrong = taylor_remainder(lambda v: 3 * v[0] + 1, np.array([0.7]), np.array([1.0]), 3.0003)

    assert wrong.order == pytest.approx(1, abs=0.01)


def test_a_kink_further_out_is_not_taken_for_curvature() -> None:
    """Straight until 0.05: the three widest steps see the kink, and none of the others."""
    relu = taylor_remainder(lambda v: max(v[0], 0.05), np.array([0.0]), np.array([1.0]), 0.0)

    assert relu.order is None


def test_two_points_make_no_order() -> None:
    """A parabola under noise of a thousandth: R = 1 and 0.1 stand out, 0.01 does not."""

    def noisy(v: Floats) -> float:
        return float(v[0] ** 2 + 1e-3 * np.sin(1e12 * v[0]))

    found = taylor_remainder(noisy, np.array([0.3]), np.array([1.0]), 0.6)

    assert (found.remainders > found.floors).sum() == 2
    assert found.order is None


def test_the_order_is_fitted_where_rounding_is_a_tenth_at_most() -> None:
    found = taylor_remainder(*random_case("tanh", 0))

    assert found.order == pytest.approx(2, abs=0.02)
    assert (found.remainders[found.used] > found.floors[found.used]).all()
    assert found.steps[found.used][0] < 1e-3


KINKED = Parameters(  # z1 = (x, x - 1, 2 - x)
    np.array([[1.0, 1.0, -1.0]]), np.array([0.0, -1.0, 2.0]), np.ones((3, 2)), np.zeros(2)
)
ROWS = np.array([[0.5], [1.25], [5.0]])


def test_a_crossed_kink_is_listed_with_its_distance() -> None:
    along = np.array([[1.0], [-1.0], [1.0]])

    assert crossed_kinks(KINKED, ROWS, "inputs", along, 0.3) == [Kink(1, 1, 0.25)]
    assert crossed_kinks(KINKED, ROWS, "inputs", along, 0.6) == [
        Kink(1, 1, 0.25), Kink(0, 0, -0.5), Kink(0, 1, 0.5)
    ]  # fmt: skip


def test_steps_that_reach_no_kink_cross_none() -> None:
    along = np.array([[1.0], [-1.0], [1.0]])

    assert crossed_kinks(KINKED, ROWS, "inputs", along, 0.2) == []


def test_a_unit_that_starts_or_ends_at_its_kink_has_not_crossed_it() -> None:
    at_the_kink = np.array([[0.5]])

    assert crossed_kinks(KINKED, at_the_kink, "inputs", np.array([[1.0]]), 0.5) == []


@pytest.mark.parametrize(
    ("of", "along", "kinks"),
    [
        ("b1", np.array([0.0, 1.0, 0.0]), [Kink(1, 1, -0.25), Kink(0, 1, 0.5)]),
        ("W1", np.array([[0.0, 1.0, 0.0]]), [Kink(1, 1, -0.2)]),
        ("W2", np.ones((3, 2)), []),
        ("b2", np.ones(2), []),
    ],
)
def test_parameters_cross_kinks_too(of: str, along: Floats, kinks: list[Kink]) -> None:
    found = crossed_kinks(KINKED, ROWS[:2], of, along, 0.6 if of == "b1" else 0.3)

    assert found == kinks


def test_a_difference_that_crosses_a_kink_is_wrong_and_one_before_it_is_right() -> None:
    """Which is what the list is for."""
    y, along = np.array([[1.0, 0.0]]), np.array([[1.0]])
    parameters = KINKED._replace(W2=np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    loss = reference_loss(parameters, np.array([[1.25]]), y, "relu", "inputs")

    def difference(step: float) -> float:
        return float(np.real(loss(1.25 + step * along) - loss(1.25 - step * along))) / (2 * step)

    slope = complex_step_slope(loss, np.array([[1.25]]), along)
    assert crossed_kinks(parameters, np.array([[1.25]]), "inputs", along, 0.5)
    assert abs(difference(0.5) - slope) > 0.05
    assert not crossed_kinks(parameters, np.array([[1.25]]), "inputs", along, 1e-4)
    assert abs(difference(1e-4) - slope) < 1e-8
