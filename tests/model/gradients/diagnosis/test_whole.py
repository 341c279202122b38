import numpy as np
import pytest

from model.gradients import check, probe, read_given, right_answers
from model.gradients.diagnosis.alone import SHOWN_ONLY
from model.gradients.diagnosis.fitting import Posted
from model.gradients.diagnosis.naming import context_of
from model.gradients.diagnosis.search import explain
from model.gradients.diagnosis.whole import one_mistake
from tests.model.gradients.diagnosis.problems import network, right, slugs
from tests.verdicts.made import Given, made
from tests.verdicts.programs import answer
from tests.verdicts.shown import NO_NUMBERS, SHOWN
from tests.verdicts.trials import possible, rounded_answer

PROBE = probe("network", 0)
RIGHT = right(PROBE.given)


@pytest.mark.parametrize(
    ("factor", "slug"),
    [(-1, "negative-gradient"), (3, "accumulated"), (0.01, "learning-rate-folded-in"),
     (-0.03, "learning-rate-folded-in"), (1.37, "learning-rate-folded-in")],
)  # fmt: skip
@pytest.mark.parametrize("rounding", ["float64", "float32", "4 digits"])
def test_one_factor_of_everything_is_named(factor: float, slug: str, rounding: str) -> None:
    posted = rounded_answer({name: factor * g for name, g in RIGHT.items()}, rounding)

    assert slugs(check(PROBE, posted)) == [slug]


@pytest.mark.parametrize(("seed", "factor"), [(7, -0.03), (29, 6), (83, 5), (132, 4), (179, 6)])
def test_rounding_that_leans_one_way_hides_no_factor(seed: int, factor: float) -> None:
    """The factor of least squares misses one entry of these by more than its last digit."""
    posed = probe("loss", seed)
    exact = {"delta3": factor * right(posed.given)["delta3"]}

    report = check(posed, rounded_answer(exact, "4 digits"))

    assert slugs(report) == ["accumulated" if factor > 1 else "learning-rate-folded-in"]


def test_without_decay_a_factor_goes_by_the_name_it_has_in_the_catalogue() -> None:
    given = network(N=3)

    report = check(given, {name: 3 * g for name, g in right(given).items()})

    assert slugs(report) == ["sum-instead-of-mean"]
    assert "accumulated" in report.mistakes[0].equivalent


def test_a_single_digit_is_a_multiple_of_nothing_in_particular() -> None:
    posed = probe("loss", 0)
    entries = 0.05 * right(posed.given)["delta3"]
    digits = np.array([float(f"{v:.1g}") for v in entries.flat]).reshape(entries.shape)

    report = check(posed, {"delta3": digits})

    assert report.verdict == "wrong"
    assert "learning-rate-folded-in" not in slugs(report)


@pytest.mark.parametrize("given", [PROBE.given, network(activation="relu")])
def test_the_search_finds_what_one_mistake_alone_explains(given: Given) -> None:
    """The row of the mistake is only a shorter way to the same names."""
    point = read_given(given)
    context = context_of(point, right_answers(point))
    found = []

    for slug in set(SHOWN["network"]) - SHOWN_ONLY - set(NO_NUMBERS):
        if possible(slug, given):
            posted = {name: Posted(g, 1e-9) for name, g in answer(given, made(slug)).items()}
            found.append((one_mistake(context.right, context.alone, posted), posted))

    alone = [(one.names, posted) for one, posted in found if one is not None]
    assert len(alone) > 25
    for names, posted in alone:
        assert explain(point, context.usual, posted, None).names == names


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("rounding", ["float64", "4 digits"])
def test_the_first_step_of_adam_is_told_by_its_one_size(sign: int, rounding: str) -> None:
    posted = {name: sign * 0.001 * g / (np.abs(g) + 1e-8) for name, g in RIGHT.items()}

    assert slugs(check(PROBE, rounded_answer(posted, rounding))) == ["adam-step"]


def test_a_gradient_of_one_size_is_no_step_of_adam() -> None:
    given = {"logits": np.zeros((1, 2)), "labels": np.array([0])}

    report = check(given, {"delta3": [[-0.05123, 0.05123]]})

    assert slugs(report) == ["learning-rate-folded-in"]


@pytest.mark.parametrize("cut", [np.trunc, np.rint, np.floor])
def test_integers_are_told_by_what_they_leave(cut: np.ufunc) -> None:
    given = network(N=3, inputs=9 * network(N=3)["inputs"])

    report = check(given, {name: cut(g) for name, g in right(given).items()})

    assert report.verdict == "wrong"
    assert slugs(report) == ["integer-dtype"]
