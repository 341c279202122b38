import numpy as np
import pytest

from model.gradients import check, probe
from tests.model.gradients.diagnosis.problems import network, right, slugs
from tests.verdicts.made import made
from tests.verdicts.others import in_type
from tests.verdicts.programs import answer

STEEP = {"logits": np.array([[1000.0, 0.0, 3.0], [1.0, 2.0, 0.0]]), "labels": np.array([0, 1])}
FAR_APART = {
    "logits": np.array([[0.0, 1.0, 3.0], [-1e3, -1e3, -999.0]]),
    "labels": np.array([0, 1]),
}


@pytest.mark.parametrize("level", ["jacobian", "loss"])
def test_logits_of_1000_overflow(level: str) -> None:
    given = STEEP if level == "loss" else {"logits": STEEP["logits"]}

    report = check(given, answer(given, made("exp-overflow")))

    assert report.verdict == "wrong"
    assert slugs(report) == ["exp-overflow"]
    assert report.mistakes[0].equivalent == ()


def test_logits_of_200_overflow_in_float32_only() -> None:
    given = {"logits": np.array([[200.0, 190.0, 199.0]]), "labels": np.array([1])}

    in_float32 = check(given, answer(in_type(given, np.float32), made("exp-overflow")))
    in_float64 = check(given, answer(given, made("exp-overflow")))

    assert slugs(in_float32) == ["exp-overflow"]
    assert in_float64.verdict == "right"
    assert "exp-overflow" in in_float64.blind_spots


def test_rows_far_below_the_others_are_lost_to_a_shift_by_the_batch() -> None:
    report = check(FAR_APART, answer(FAR_APART, made("shift-over-batch")))

    assert slugs(report) == ["shift-over-batch"]


def test_the_rows_tell_a_shift_by_the_batch_from_an_overflow() -> None:
    """Here the second row is lost by the one and the first by the other."""
    lost = check(STEEP, answer(STEEP, made("shift-over-batch")))

    assert slugs(lost) == ["shift-over-batch"]


def test_what_cannot_be_told_apart_is_called_equivalent() -> None:
    """Without a shift too, every power of the second row is 0."""
    report = check(FAR_APART, answer(FAR_APART, made("exp-overflow")))

    assert {slugs(report)[0], *report.mistakes[0].equivalent} == {
        "shift-over-batch", "exp-overflow",
    }  # fmt: skip


def test_a_network_that_overflows_is_told_by_the_columns_of_its_gradients() -> None:
    given = network(W2=2000 * network()["W2"])

    report = check(given, answer(given, made("exp-overflow")))

    assert slugs(report) == ["exp-overflow"]


def test_nan_is_located_where_nothing_overflows() -> None:
    posed = probe("network", 0)
    posted = right(posed.given)
    posted["dW1"][3, 2] = np.nan

    report = check(posed, posted)

    assert slugs(report) == ["not-finite"]
    worst = report.tensors["dW1"].worst
    assert worst is not None
    assert tuple(worst[0]) == (3, 2)
    assert report.tensors["dW2"].verdict == "right"


def test_a_tensor_with_all_its_numbers_clears_softmax() -> None:
    given = network(W2=2000 * network()["W2"])
    posted = right(given)
    posted["dW1"][0, 0] = np.inf

    assert slugs(check(given, posted)) == ["not-finite"]


@pytest.mark.parametrize("level", ["jacobian", "loss", "network"])
def test_moderate_logits_hide_both(level: str) -> None:
    posed = probe(level, 0)

    blind = check(posed, right(posed.given)).blind_spots

    assert {"exp-overflow", "shift-over-batch"} <= set(blind)
