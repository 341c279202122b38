"""Every derivative where a class is all but certain and units are saturated: exact arithmetic."""

from functools import cache

import numpy as np
import pytest

from model import ACTIVATIONS, Floats, Parameters, forward, softmax
from model.gradients import (
    Mode,
    Point,
    Question,
    certain_rows,
    derivative,
    point_of_network,
    sizes_of,
    vector_shape,
)
from tests.model.oracles import Exact, exact_jacobian, relative_error
from tests.model.pairs import PAIRS

N, D, H, C = 2, 3, 4, 3
LEADS = [1e-2, 40.0, 300.0]


def network(lead: float) -> tuple[Parameters, np.random.Generator]:
    """Weights so small that the biases decide: class 0 leads, and units are far on or far off."""
    rng = np.random.default_rng(11)
    shapes = ((D, H), (H,), (H, C), (C,))
    W1, b1, W2, b2 = (rng.normal(size=shape) for shape in shapes)
    b1 = b1 + 0.3 * lead * np.array([1, -1, 1, -1])
    b2 = 0.1 * b2 + lead * np.eye(C)[0]
    return Parameters(W1, b1, 0.1 * W2, b2), rng


@cache
def point(activation: str, lead: float, label: int) -> Point:
    parameters, rng = network(lead)
    f, x = ACTIVATIONS[activation], rng.normal(size=(N, D))
    return point_of_network(parameters, f, x, forward(parameters, x, f), np.full(N, label))


@cache
def exact(pair: tuple[str, str], activation: str, lead: float, label: int) -> Exact:
    at = point(activation, lead, label)
    assert at.parameters is not None
    assert at.inputs is not None
    assert at.labels is not None
    return exact_jacobian(at.parameters, at.inputs, at.labels, activation, pair)


def tolerance(lead: float) -> float:
    """A logit of size `lead` is rounded to lead / 2^53, and exp makes that a relative error."""
    return 1e-14 + 4 * lead * 2.0**-53


def test_the_point_is_saturated() -> None:
    for activation in ACTIVATIONS:
        at = point(activation, 300.0, 0)
        assert (at.logits[:, :1] - at.logits[:, 1:] > 250).all()
        assert at.z1 is not None
        assert (np.abs(at.z1) > 80).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_jacobians_keep_their_digits(pair: tuple[str, str], lead: float, activation: str) -> None:
    check(pair, "jacobian", activation, lead, label=0)


@pytest.mark.parametrize("mode", ["vjp", "jvp"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_products_keep_their_digits(
    pair: tuple[str, str], lead: float, activation: str, mode: Mode
) -> None:
    check(pair, mode, activation, lead, label=0)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("wrt", [wrt for of, wrt in PAIRS if of == "loss"])
def test_the_loss_keeps_its_digits_where_the_label_is_hopeless(
    wrt: str, lead: float, activation: str
) -> None:
    check(("loss", wrt), "jacobian", activation, lead, label=1)


def check(pair: tuple[str, str], mode: Mode, activation: str, lead: float, label: int) -> None:
    at, question = point(activation, lead, label), Question(*pair, mode)
    vector = np.random.default_rng(5).normal(size=vector_shape(question, sizes_of(at)))

    found = np.asarray(derivative(at, question, vector))

    whole = exact(pair, activation, lead, label)
    expected = contracted(whole, question, vector).reshape(found.shape)
    # A product may cancel by chance: what is rounded is the sum of absolute values.
    summed = contracted(abs(whole), question, abs(vector))
    assert relative_error(found, expected, scale=summed) <= tolerance(lead)


def contracted(whole: Exact, question: Question, vector: Floats) -> Exact:
    """What a question asks of the whole (N, of, wrt): in exact arithmetic too."""
    of, wrt, mode = question
    parameter = wrt in Parameters._fields
    if mode == "jvp":
        pushed = whole @ vector.reshape((-1, 1) if parameter else (N, -1, 1))
        return pushed.sum(axis=0) if of == "loss" else pushed
    if mode == "vjp":
        weights = np.broadcast_to(vector, (N, 1)) if of == "loss" else vector
        whole = weights[:, None, :] @ whole
    return whole.sum(axis=0) if parameter and (of == "loss" or mode == "vjp") else whole


def test_only_derivatives_of_certain_probabilities_are_close_to_nothing() -> None:
    """At a lead of 40 the other classes are below half of the last digit of 1."""
    probabilities = softmax(np.array([[0.0, 1.0], [40.0, 0.0], [0.0, 800.0]]))

    assert certain_rows(Question(), probabilities) == [1, 2]
    assert certain_rows(Question(of="logits", wrt="inputs"), probabilities) == []
    assert certain_rows(Question(), probabilities[:1]) == []
