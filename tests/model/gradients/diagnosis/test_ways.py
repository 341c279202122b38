import numpy as np
import pytest

from model.gradients import probe, read_given
from model.gradients.chain import known
from model.gradients.diagnosis.fitting import Way
from model.gradients.diagnosis.ways import (
    delta2s,
    delta3s,
    delta3s_with_two,
    factors,
    fitted_delta3s,
    jacobians,
    slope_of,
)
from model.gradients.given import Hidden, Loss
from model.gradients.mistakes import deltas, sums
from tests.model.gradients.diagnosis.problems import network
from tests.verdicts.made import Given

GIVEN = read_given(probe("network", 0).given)
LOSS, HIDDEN = known(GIVEN.loss), known(GIVEN.hidden)


def slugs_of(ways: list[Way]) -> list[tuple[str, ...]]:
    return [tuple(mistake.slug for mistake in way.names) for way in ways]


def test_the_right_way_comes_first() -> None:
    for ways in (delta3s(LOSS), delta2s(HIDDEN, LOSS.delta3, factors(LOSS), {})):
        assert ways[0].names == ()
        assert all(len(way.names) == 1 for way in ways[1:])
    np.testing.assert_array_equal(delta3s(LOSS)[0].value, LOSS.delta3)


def test_two_mistakes_are_two_names() -> None:
    assert {len(way.names) for way in delta3s_with_two(LOSS)} == {2}


def test_factors_that_are_1_here_are_left_out() -> None:
    plain = read_given({"logits": np.eye(3, 4), "labels": np.array([0, 1, 2])})

    slugs = {factor.names[0].slug for factor in factors(known(plain.loss))}

    assert "temperature-not-divided" not in slugs
    assert "sum-instead-of-mean" in slugs


def test_what_overflows_is_no_way() -> None:
    steep = read_given({"logits": 1e200 * np.eye(2, 4), "labels": np.array([1, 2])})

    assert all(np.isfinite(way.value).all() for way in delta3s(known(steep.loss)))
    assert all(np.isfinite(way.value).all() for way in jacobians(steep.output))


@pytest.mark.parametrize("epsilon", [0.05, 0.3])
def test_a_smoothing_is_found_by_its_size(epsilon: float) -> None:
    C = LOSS.p.shape[1]
    smoothed = (LOSS.p - ((1 - epsilon) * LOSS.y + epsilon / C)) / (len(LOSS.p) * LOSS.T)

    ways = {way.names: way for way in fitted_delta3s(LOSS, smoothed)}

    np.testing.assert_allclose(ways[(deltas.SMOOTHED,)].value, smoothed, atol=1e-12)


def test_weights_of_rows_are_found_row_by_row() -> None:
    weighted = LOSS.delta3 * np.linspace(0.5, 2.0, len(LOSS.p))[:, None]

    ways = {way.names: way for way in fitted_delta3s(LOSS, weighted)}

    np.testing.assert_allclose(ways[(deltas.WEIGHTED,)].value, weighted, rtol=1e-12)
    assert ways[(deltas.WEIGHTED,)].free == len(LOSS.p)


def test_a_right_delta3_proposes_no_number() -> None:
    assert fitted_delta3s(LOSS, LOSS.delta3) == []


@pytest.mark.parametrize("posted", ["delta2", "dW1", "db1"])
def test_the_rate_of_an_early_update_is_read_off_any_tensor(posted: str) -> None:
    step = HIDDEN.a1.T @ LOSS.delta3 + HIDDEN.decay * HIDDEN.parameters.W2
    late = LOSS.delta3 @ (HIDDEN.parameters.W2 - 0.05 * step).T * HIDDEN.slope
    W1 = HIDDEN.parameters.W1
    tensors = {
        "delta2": late, "dW1": HIDDEN.x.T @ late + HIDDEN.decay * W1, "db1": late.sum(axis=0),
    }  # fmt: skip

    ways = delta2s(HIDDEN, LOSS.delta3, [], {posted: tensors[posted]})

    found = next(way for way in ways if way.names == (sums.WEIGHTS_UPDATED,))
    np.testing.assert_allclose(found.value, late, rtol=1e-9, atol=1e-12)


def test_the_slope_of_a_leaky_relu_is_read_off() -> None:
    loss, hidden = points(network(activation="relu"))
    back = loss.delta3 @ hidden.parameters.W2.T
    leaky = back * np.where(hidden.z1 > 0, 1.0, 0.2)

    ways = delta2s(hidden, loss.delta3, [], {"delta2": leaky})

    found = next(way for way in ways if way.names == (sums.LEAKY,))
    np.testing.assert_allclose(found.value, leaky, rtol=1e-9)


def test_weights_fit_untransposed_only_where_they_are_square() -> None:
    for H, fits in ((4, True), (7, False)):
        loss, hidden = points(network(H=H, C=4))
        named = slugs_of(delta2s(hidden, loss.delta3, [], {}))
        assert (("weights-not-transposed",) in named) == fits


def test_a_multiple_of_nothing_is_none() -> None:
    assert slope_of(np.array([1.0, 2.0]), np.zeros(2)) == 0.0
    assert slope_of(np.array([1.0, 2.0]), np.array([0.5, 1.0])) == pytest.approx(2.0)


def points(given: Given) -> tuple[Loss, Hidden]:
    point = read_given(given)
    return known(point.loss), known(point.hidden)
