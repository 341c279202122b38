"""What is said to be hidden, and what is said to be equivalent."""

import numpy as np
import pytest

from model.gradients import check, probe
from tests.model.gradients.diagnosis.problems import network, right
from tests.verdicts.made import Given, made
from tests.verdicts.programs import answer

ZEROS: Given = {
    "W1": np.zeros((6, 7)), "b1": np.zeros(7), "W2": np.zeros((7, 4)), "b2": np.zeros(4),
}  # fmt: skip
DECAY: Given = {"weight_decay": 0.1}
WARM: Given = {"temperature": 1.4}


@pytest.mark.parametrize(
    ("given", "hidden"),
    [
        (network(N=1), {"sum-instead-of-mean", "mean-taken-twice", "bias-averaged",
                        "bias-of-one-row", "softmax-over-everything"}),
        (network(b1=np.zeros(7), b2=np.zeros(4)) | DECAY, {"decay-on-biases"}),
        (network(), {"decay-missing", "decay-doubled", "decay-negated", "temperature-ignored",
                     "temperature-multiplied", "temperature-divided-twice"}),
        (network(W2=np.zeros((7, 4))) | DECAY, {"slope-omitted", "slope-of-sigmoid",
                                                 "slope-inverted", "gradient-stopped"}),
        (network() | ZEROS | DECAY | WARM, {"double-softmax", "slope-omitted", "decay-missing",
                                             "pre-activation-for-activation"}),
        (network(activation="relu"), {"slope-at-activation"}),
    ],
    ids=["one row", "zero biases", "no decay, T = 1", "W2 = 0", "all 0", "relu"],
)  # fmt: skip
def test_a_point_that_hides_mistakes_says_so(given: Given, hidden: set[str]) -> None:
    report = check(given, right(given))

    assert report.verdict == "right"
    assert hidden <= set(report.blind_spots)


def test_what_shows_is_no_blind_spot() -> None:
    given = network(N=5) | DECAY | WARM

    blind = set(check(given, right(given)).blind_spots)

    assert blind == {"exp-overflow", "shift-over-batch"}


def test_a_transposed_jacobian_can_never_be_seen() -> None:
    posed = probe("jacobian", 0)

    assert "transposed" in check(posed, right(posed.given)).blind_spots


def test_tensors_that_were_not_posted_hide_what_only_they_show() -> None:
    posed = probe("network", 1)

    blind = check(posed, {"db2": right(posed.given)["db2"]}).blind_spots

    assert {"slope-omitted", "decay-missing", "pre-activation-for-activation"} <= set(blind)


def test_few_digits_hide_what_is_smaller_than_they_are() -> None:
    given = network(N=5, weight_decay=1e-6) | WARM
    posted = {name: np.round(g, 2) for name, g in right(given).items()}

    assert "decay-missing" in check(given, posted).blind_spots
    assert "decay-missing" not in check(given, right(given)).blind_spots


def test_mistakes_with_the_same_numbers_are_named_together() -> None:
    given = network(activation="relu")

    report = check(given, answer(given, made("slope-omitted")))

    assert {report.mistakes[0].mistake.slug, *report.mistakes[0].equivalent} == {
        "slope-omitted", "mask-closed",
    }  # fmt: skip


def test_a_number_of_its_own_is_not_mistaken_for_another() -> None:
    """Three passes are no factor C = 4, though both are whole numbers."""
    posed = probe("loss", 1)

    report = check(posed, {"delta3": 7 * right(posed.given)["delta3"]})

    assert report.mistakes[0].mistake.slug == "accumulated"
    assert report.mistakes[0].equivalent == ()
