"""The floors against gradients computed as textbooks write them, and exact arithmetic."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from model import ACTIVATIONS, Float64s, Floats, Parameters
from model.gradients import Floors, Objective, jacobian_floor, rounding_floors
from tests.model.oracles import Exact, exact_gradients, exact_softmax_jacobian, relative_error

# Any: float32 or float64; u is half of what NumPy calls eps.
PRECISIONS: dict[str, tuple[Any, float]] = {
    "float32": (np.float32, 2.0**-24),
    "float64": (np.float64, 2.0**-53),
}


class Case(NamedTuple):
    parameters: Parameters
    activation: str
    x: Float64s
    y: Float64s
    objective: Objective

    def floors(self, unit_roundoff: float) -> Floors:
        f = ACTIVATIONS[self.activation]
        return rounding_floors(self.parameters, f, self.x, self.y, unit_roundoff, self.objective)

    def exact(self) -> dict[str, Exact]:
        return exact_gradients(self.parameters, self.x, self.y, self.activation, *self.objective)


def product(a: Floats, b: Floats) -> Floats:
    """A matrix product added up term by term, the order in which most is lost."""
    return np.cumsum(a[:, :, None] * b[None], axis=1, dtype=a.dtype)[:, -1]


def textbook(case: Case, dtype: Any) -> dict[str, Floats]:
    """Backprop as most people write it: a2 - y, 1 - a1 * a1, diag(p) - p p^T."""
    W1, b1, W2, b2 = (array.astype(dtype) for array in case.parameters)
    x, y, T, decay = (dtype(value) for value in (case.x, case.y, *case.objective))

    z1 = product(x, W1) + b1
    a1 = np.tanh(z1) if case.activation == "tanh" else np.maximum(z1, 0)
    powers = np.exp((z2 := (product(a1, W2) + b2) / T) - z2.max(axis=1, keepdims=True))
    a2 = powers / powers.sum(axis=1, keepdims=True)

    delta3 = (a2 - y) / dtype(len(x)) / T
    delta2 = product(delta3, W2.T) * (1 - a1 * a1 if case.activation == "tanh" else z1 > 0)
    return {
        "jacobian": np.array([np.diag(p) - np.outer(p, p) for p in a2]) / T,
        "delta3": delta3, "dW2": product(a1.T, delta3) + decay * W2, "db2": delta3.sum(axis=0),
        "delta2": delta2, "dW1": product(x.T, delta2) + decay * W1, "db1": delta2.sum(axis=0),
    }  # fmt: skip


def random_case(activation: str, seed: int) -> Case:
    """Small and large weights, so that some labels are nearly certain and some units saturated."""
    rng = np.random.default_rng(seed)
    rows, features, hidden, classes = (int(size) for size in rng.integers((1, 1, 1, 2), 9))
    shapes = ((features, hidden), (hidden,), (hidden, classes), (classes,))
    scales = 10 ** rng.uniform(-1, 1.2, size=4)
    objective = Objective(float(rng.choice([0.5, 1.0, 2.3])), float(rng.choice([0.0, 0.01])))
    return Case(
        Parameters(*(s * rng.normal(size=n) for s, n in zip(scales, shapes, strict=True))),
        activation,
        rng.normal(size=(rows, features)),
        np.eye(classes)[rng.integers(classes, size=rows)],
        objective,
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_no_error_of_500_networks_exceeds_its_floor_and_no_floor_is_silly(activation: str) -> None:
    shares: dict[tuple[str, str], list[float]] = {}

    for case in (random_case(activation, seed) for seed in range(250)):
        exact = case.exact()
        for precision, (dtype, u) in PRECISIONS.items():
            found, floors = textbook(case, dtype), case.floors(u)
            for name, floor in floors._asdict().items():
                error = relative_error(found[name], exact[name])
                assert error <= floor, f"{name} in {precision}: {error:.2g} above {floor:.2g}"
                if 0 < floor < 1:
                    shares.setdefault((precision, name), []).append(error / floor)

    # The worst network reaches a tenth of its floor, the ordinary one a hundredth or so.
    assert len(shares) == 2 * len(Floors._fields)
    for key, share in shares.items():
        assert max(share) > 0.05, key
        assert np.median(share) > 0.002, key


def one_row(lead: float) -> Case:
    """The label's logit leads by `lead`; the hidden layer does nothing."""
    parameters = Parameters(np.eye(2), np.zeros(2), np.eye(2), np.array([lead, 0.0]))
    return Case(parameters, "relu", np.array([[1.0, 1.0]]), np.array([[1.0, 0.0]]), Objective())


@pytest.mark.parametrize("lead", [0.0, 4.0, 8.0, 12.0, 16.0])
def test_a_label_close_to_certain_raises_the_floor_by_what_cancels(lead: float) -> None:
    """The error of a2 - y stays at u while a2 - y shrinks to 1 - p = 1 / (1 + e^lead)."""
    u, shrunk = 2.0**-53, 1 / (1 + np.exp(lead))

    floor = one_row(lead).floors(u).delta3

    # Between one roundoff and what three sums of two terms and an exponential add to it.
    assert u / shrunk < floor < 100 * u / shrunk


def test_at_a_certain_label_nothing_is_decidable() -> None:
    assert one_row(40.0).floors(2.0**-53).delta3 > 1
    assert one_row(40.0).floors(2.0**-24).dW1 > 1


def test_a_saturated_tanh_raises_the_floor_of_the_hidden_layer_alone() -> None:
    """tanh'(12) = 1.5e-10, which 1 - a1 * a1 in float32 holds with no digit."""
    case = one_row(0.0)._replace(activation="tanh", x=np.full((1, 2), 12.0))

    floors = case.floors(2.0**-24)

    assert floors.delta3 < 1e-4
    assert min(floors.delta2, floors.dW1, floors.db1) > 1


def test_a_unit_whose_sign_is_rounding_makes_the_hidden_layer_undecidable() -> None:
    """0.1 + 0.2 - 0.3 is not 0 in floating point: either slope of relu may be right."""
    parameters = Parameters(np.ones((3, 1)), np.zeros(1), np.array([[1.0, -1.0]]), np.zeros(2))
    case = Case(
        parameters, "relu", np.array([[0.1, 0.2, -0.3]]), np.array([[1.0, 0.0]]), Objective()
    )

    assert case.floors(2.0**-53).delta2 >= 1
    assert case.floors(2.0**-53).dW2 < np.inf


def test_what_must_come_out_as_zero_has_no_floor() -> None:
    """All units are off by far: delta2 is 0 in every precision."""
    case = one_row(0.0)._replace(x=np.full((1, 2), -1.0))

    floors = case.floors(2.0**-24)

    assert (floors.delta2, floors.dW1, floors.db1) == (0, 0, 0)
    assert floors.dW2 == 0  # a1 is 0 as well
    assert floors.db2 > 0


def test_long_sums_are_part_of_the_floor(rng: np.random.Generator) -> None:
    """20,000 terms added up one by one in float32 lose far more than their own last digits."""
    x = rng.uniform(0, 0.2, size=(1, 20_000))
    parameters = Parameters(
        np.ones((20_000, 1)), -x.sum(axis=1), np.array([[1.0, -1.0]]), np.zeros(2)
    )
    case = Case(parameters, "tanh", x, np.array([[1.0, 0.0]]), Objective())

    error = relative_error(textbook(case, np.float32)["delta3"], case.exact()["delta3"])

    as_rounded_once = 2 * 2.0**-24 * x.sum()
    assert as_rounded_once < error <= case.floors(2.0**-24).delta3


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_wide_network_is_still_decidable_in_float32(
    activation: str, rng: np.random.Generator
) -> None:
    """The size of MNIST: a mistake of 0.6 % must not hide below the floor."""
    W1, W2 = rng.normal(size=(784, 64)) / 20, rng.normal(size=(64, 10)) / 10
    parameters = Parameters(W1, np.zeros(64), W2, np.zeros(10))
    y = np.eye(10)[[3, 1, 4]]
    case = Case(parameters, activation, rng.normal(size=(3, 784)), y, Objective())

    floors = case.floors(2.0**-24)

    assert max(floors) < 2e-3


@pytest.mark.parametrize("lead", [0.0, 2.0, 8.0, 20.0])
def test_bare_logits_have_the_floor_of_their_jacobian(lead: float) -> None:
    logits = np.array([lead, 0.0, -1.0], np.float32)
    p = np.exp(logits - logits.max())
    p /= p.sum()

    exact = exact_softmax_jacobian(logits.tolist())
    error = relative_error(np.diag(p) - np.outer(p, p), exact)
    floor = jacobian_floor(logits[None].astype(np.float64), 2.0**-24)

    assert error <= floor
    assert floor * exact.max() < 10 * 2.0**-24  # each p is off by C + 1 roundoffs, and a few


def test_weight_decay_is_part_of_the_floor() -> None:
    """Weights that outweigh the gradient by far round as weights do: a few roundoffs."""
    case = random_case("tanh", 3)._replace(objective=Objective())

    plain = case.floors(2.0**-24)
    decayed = case._replace(objective=Objective(weight_decay=1e9)).floors(2.0**-24)

    assert decayed.dW1 < 6 * 2.0**-24 < plain.dW1
    assert decayed.db1 == plain.db1


def test_a_temperature_is_the_same_as_smaller_logits() -> None:
    """With V = W2 / T, dloss/dV = T dloss/dW2, and T (lambda W2) = (lambda T^2) V."""
    T, case = 20.0, random_case("tanh", 3)
    W1, b1, W2, b2 = case.parameters
    folded = case._replace(parameters=Parameters(W1, b1, W2 / T, b2 / T))

    cold = case._replace(objective=Objective(T, 0.1)).floors(2.0**-24)
    warm = folded._replace(objective=Objective(1.0, 0.1 * T**2)).floors(2.0**-24)

    # Not quite the same: T and the division are rounded in the first.
    assert cold.delta3 == pytest.approx(warm.delta3, rel=0.01)
    assert cold.dW2 == pytest.approx(warm.dW2, rel=0.01)
