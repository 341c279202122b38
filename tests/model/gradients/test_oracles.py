"""Complex steps and the loss they are taken through, against exact arithmetic."""

from typing import NamedTuple

import mpmath
import numpy as np
import pytest

from model import ACTIVATIONS, Float64s, Parameters
from model.gradients import Objective, complex_step_gradient, complex_step_slope, reference_loss
from tests.model.oracles import exact_gradients, exact_network, relative_error

OBJECTIVE = Objective(temperature=1.7, weight_decay=0.01)
TENSORS = {"W1": "dW1", "b1": "db1", "W2": "dW2", "b2": "db2"}


class Case(NamedTuple):
    parameters: Parameters
    x: Float64s
    y: Float64s
    activation: str


@pytest.fixture(params=ACTIVATIONS)
def case(request: pytest.FixtureRequest, parameters: Parameters, rng: np.random.Generator) -> Case:
    return Case(parameters, rng.normal(size=(3, 4)), np.eye(5)[[2, 0, 4]], request.param)


@pytest.mark.parametrize("name", TENSORS)
def test_complex_steps_are_the_exact_gradient(name: str, case: Case) -> None:
    loss = reference_loss(*case, of=name, objective=OBJECTIVE)

    found = complex_step_gradient(loss, getattr(case.parameters, name))

    # Exact to rounding: every entry is a sum of at most 20 terms.
    assert relative_error(found, exact_gradients(*case, *OBJECTIVE)[TENSORS[name]]) < 1e-14


@pytest.mark.parametrize("lead", [1e-2, 40.0, 300.0])
@pytest.mark.parametrize("name", TENSORS)
def test_complex_steps_keep_their_digits_at_a_certain_label(
    name: str, lead: float, case: Case
) -> None:
    """Labels whose logit leads by so much that 1 - p is below the last digit of p."""
    y = np.tile(np.eye(5)[3], (3, 1))
    parameters = case.parameters._replace(b2=lead * y[0], W2=case.parameters.W2 / 10)
    sure = case._replace(parameters=parameters, y=y)

    found = complex_step_gradient(reference_loss(*sure, of=name), getattr(parameters, name))

    # exp(-lead) turns the absolute rounding of a logit, lead / 2^53, into a relative one.
    assert relative_error(found, exact_gradients(*sure)[TENSORS[name]]) < 1e-14 + 1e-15 * lead


def test_a_slope_is_the_gradient_times_the_direction(case: Case, rng: np.random.Generator) -> None:
    along = rng.normal(size=(3, 4))
    loss = reference_loss(*case, of="inputs", objective=OBJECTIVE)

    slope = complex_step_slope(loss, case.x, along)

    gradient = complex_step_gradient(loss, case.x)
    assert slope == pytest.approx(np.vdot(gradient, along), rel=1e-13)


def test_the_reference_loss_is_the_mean_cross_entropy_and_the_decay(case: Case) -> None:
    smoothed = 0.9 * case.y + 0.02
    found = reference_loss(*case._replace(y=smoothed), of="W1", objective=OBJECTIVE)(
        case.parameters.W1
    )

    p = exact_network(case.parameters, case.x, case.activation, 1.7)["probabilities"]
    entropy = -(smoothed * np.vectorize(mpmath.log)(p)).sum() / 3
    weights = (case.parameters.W1**2).sum() + (case.parameters.W2**2).sum()
    assert found == pytest.approx(float(entropy) + 0.005 * weights, rel=1e-14)


@pytest.mark.parametrize("lead", [1e-2, 40.0, 300.0])
def test_the_reference_loss_keeps_its_digits_at_a_certain_label(lead: float) -> None:
    parameters = Parameters(np.eye(2), np.zeros(2), np.eye(2), np.array([lead, 0.0]))
    x, y = np.array([[1.0, 1.0]]), np.array([[1.0, 0.0]])

    found = reference_loss(parameters, x, y, "relu", of="b2")(parameters.b2)

    # log(1 + e^-lead), in which 1 + 4e-18 would be 1; the lead is off by half its last digit.
    assert found == pytest.approx(float(mpmath.log1p(mpmath.exp(-lead))), rel=1e-13, abs=0)


def test_nothing_is_modified(case: Case) -> None:
    before = case.parameters.W1.copy()

    complex_step_gradient(reference_loss(*case, of="W1"), case.parameters.W1)

    np.testing.assert_array_equal(case.parameters.W1, before)
