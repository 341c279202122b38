"""What the evidence says, also of mistakes that the catalogue lacks."""

import numpy as np

from model.gradients import check
from tests.model.gradients.diagnosis.problems import followed, network, probabilities, right, slugs
from tests.verdicts.made import Array, made
from tests.verdicts.programs import answer

GIVEN = network(N=5, temperature=1.3, weight_decay=0.1)
Y = np.eye(4)[GIVEN["labels"]]


def in_other_words(of_p: float, of_y: float) -> Array:
    """A delta3 that nobody has a name for."""
    return np.asarray((of_p * probabilities(GIVEN) - of_y * Y) / (5 * 1.3))


def test_a_missing_mean_is_written_out_with_its_factor() -> None:
    report = check(GIVEN, answer(GIVEN, made("sum-instead-of-mean")))

    assert report.evidence["implied_delta3"]["text"] == "N T delta3 = 5.000 a2 - 5.000 y"
    assert report.evidence["scale"]["db2"]["is"] == "N"


def test_an_unknown_delta3_is_written_out() -> None:
    report = check(GIVEN, followed(GIVEN, in_other_words(1.3, 0.8)))

    assert report.verdict == "wrong"
    assert slugs(report) == []
    assert report.evidence["implied_delta3"]["text"] == "N T delta3 = 1.300 a2 - 0.800 y"


def test_the_hidden_layer_is_judged_behind_an_unknown_delta3() -> None:
    report = check(GIVEN, followed(GIVEN, in_other_words(1.3, 0.8)))

    assert "the rest was judged by what follows from it" in report.evidence["localisation"]
    assert report.evidence["implied_activation_derivative"]["text"] == "f' = 1.000 f'(z1)"


def test_a_mistake_of_the_hidden_layer_is_named_behind_an_unknown_delta3() -> None:
    delta3 = in_other_words(1.3, 0.8)
    delta2 = delta3 @ GIVEN["W2"].T
    posted = followed(GIVEN, delta3) | {
        "dW1": GIVEN["inputs"].T @ delta2 + 0.1 * GIVEN["W1"],
        "db1": delta2.sum(axis=0),
    }

    assert slugs(check(GIVEN, posted)) == ["slope-omitted"]


def test_an_omitted_slope_reads_1() -> None:
    report = check(GIVEN, answer(GIVEN, made("slope-omitted")))

    assert report.evidence["implied_activation_derivative"]["text"] == "f' = 1.000"


def test_a_slope_in_other_words_is_written_out() -> None:
    z1 = GIVEN["inputs"] @ GIVEN["W1"] + GIVEN["b1"]
    delta2 = in_other_words(1, 1) @ GIVEN["W2"].T * (0.5 + 0.25 * z1)

    report = check(GIVEN, {**right(GIVEN), "dW1": GIVEN["inputs"].T @ delta2 + 0.1 * GIVEN["W1"]})

    shown = report.evidence["implied_activation_derivative"]["text"]
    assert shown == "f' = 0.500 + 0.250 z1"


def test_the_weight_decay_is_read_off() -> None:
    report = check(GIVEN, answer(GIVEN, made("decay-doubled")))

    decay = report.evidence["implied_weight_decay"]
    np.testing.assert_allclose([decay["dW1"], decay["dW2"], decay["expected"]], [0.2, 0.2, 0.1])


def test_labels_are_read_off_the_signs() -> None:
    report = check(GIVEN, answer(GIVEN, made("labels-shifted")))

    np.testing.assert_array_equal(report.evidence["labels_by_sign"], (GIVEN["labels"] - 1) % 4)


def test_numbers_without_a_pattern_are_localised() -> None:
    posted = right(GIVEN)
    posted["dW1"] = np.random.default_rng(20260).normal(size=posted["dW1"].shape)

    report = check(GIVEN, posted)

    assert slugs(report) == []
    assert {name: one.verdict for name, one in report.tensors.items()} == {
        "dW1": "wrong", "db1": "right", "dW2": "right", "db2": "right",
    }  # fmt: skip
    assert report.evidence["localisation"] == (
        "db1, dW2 and db2 are right; dW1 is wrong; dW1 is not in the span of the inputs; "
        "look at delta2 and what dW1 is made from"
    )


def test_sums_that_should_be_0_are_shown() -> None:
    given = {"logits": np.array([[0.3, 1.0, -0.4]])}

    right_sums = answer(given, made("jacobian-negated"))
    wrong_sums = answer(given, made("jacobian-diagonal-only"))

    assert check(given, right_sums).evidence["invariants"]["jacobian_row_sums"] < 1e-15
    assert check(given, wrong_sums).evidence["invariants"]["jacobian_row_sums"] > 0.5
