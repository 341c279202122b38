import numpy as np
import pytest

from model.gradients import probe, read_given, right_answers
from model.gradients.diagnosis.candidates import read_candidate
from model.gradients.diagnosis.fitting import Posted
from model.gradients.diagnosis.measured import implied_delta3
from model.gradients.diagnosis.naming import Named, context_of, name_mistakes
from tests.model.gradients.diagnosis.problems import followed, network
from tests.verdicts.made import Answer, Given, made
from tests.verdicts.programs import answer

PROBE = probe("network", 0)
SMALL = network()


def named(given: Given, tensors: Answer, tolerance: float = 1e-9) -> Named:
    """What an answer is called, when all its tensors are to be explained."""
    point = read_given(given)
    right = right_answers(point)
    arrived = read_candidate(point, right, tensors)
    finite = {name: one for name, one in arrived.items() if np.isfinite(one.value).all()}
    posted = {name: Posted(one.value, tolerance) for name, one in finite.items()}
    values = {name: one.value for name, one in finite.items()}
    return name_mistakes(context_of(point, right), arrived, posted, implied_delta3(point, values))


def slugs(found: Named) -> list[str]:
    return [one.mistake.slug for one in found.mistakes]


def test_what_explains_everything_fits_completely() -> None:
    found = named(PROBE.given, answer(PROBE.given, made("slope-omitted")))

    assert slugs(found) == ["slope-omitted"]
    assert found.mistakes[0].fit == pytest.approx(1, abs=1e-9)
    assert found.unexplained == ()
    assert not found.unnamed_delta3


def test_the_fit_is_what_the_explanation_leaves_of_the_answer() -> None:
    posted = answer(PROBE.given, made("slope-omitted"))
    largest = np.unravel_index(np.abs(posted["dW1"]).argmax(), posted["dW1"].shape)
    posted["dW1"][largest] *= 1 + 1e-4

    found = named(PROBE.given, posted, tolerance=1e-3)

    assert slugs(found) == ["slope-omitted"]
    assert found.mistakes[0].fit == pytest.approx(1 - 1e-4, abs=1e-6)


@pytest.mark.parametrize(
    ("first", "second"),
    [("delta3-negated", "slope-omitted"), ("double-softmax", "slope-of-sigmoid")],
)
def test_two_mistakes_are_both_named_the_earlier_one_first(first: str, second: str) -> None:
    found = named(PROBE.given, answer(PROBE.given, made(first, second)))

    assert slugs(found) == [first, second]


def test_too_few_digits_name_one_mistake_but_no_two() -> None:
    both = answer(PROBE.given, made("double-softmax", "slope-of-sigmoid"))
    one = answer(PROBE.given, made("double-softmax"))

    assert slugs(named(PROBE.given, both, tolerance=0.02)) == []
    assert slugs(named(PROBE.given, one, tolerance=0.02)) == ["double-softmax"]


def test_mistakes_that_give_the_same_numbers_are_named_together() -> None:
    """Without decay a sum over three rows is what three batches added up to."""
    found = named(SMALL, answer(SMALL, made("sum-instead-of-mean")))

    assert slugs(found) == ["sum-instead-of-mean"]
    assert "accumulated" in found.mistakes[0].equivalent
    assert "sum-instead-of-mean" not in found.mistakes[0].equivalent


def test_a_layout_is_named_beside_the_mistake_in_the_numbers() -> None:
    posted = answer(PROBE.given, made("slope-omitted"))

    found = named(PROBE.given, posted | {"dW1": posted["dW1"].T})

    assert slugs(found) == ["transposed", "slope-omitted"]


def test_tensors_under_each_other_s_names_are_not_searched() -> None:
    posted = answer(PROBE.given)

    found = named(PROBE.given, {"dW1": posted["dW2"], "dW2": posted["dW1"]})

    assert slugs(found) == ["tensors-swapped"]
    assert found.unexplained == ()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_named_and_the_others_explained(bad: float) -> None:
    posted = answer(PROBE.given, made("bias-averaged"))

    found = named(PROBE.given, posted | {"dW1": np.full_like(posted["dW1"], bad)})

    assert len(found.mistakes) == 2
    assert slugs(found)[1] == "bias-averaged"


def test_a_delta3_that_the_catalogue_lacks_is_no_mistake_by_name() -> None:
    """What is asked of the rest is whether it follows from the answer's own delta3."""
    strange = np.cos(np.arange(12.0) ** 2).reshape(3, 4)
    right = followed(SMALL, strange)

    found = named(SMALL, right)

    assert found.unnamed_delta3
    assert (slugs(found), found.unexplained) == ([], ())


def test_a_tensor_that_nothing_explains_is_left_open() -> None:
    posted = answer(PROBE.given, made("bias-averaged"))

    found = named(PROBE.given, posted | {"dW1": np.cos(posted["dW1"])})

    assert slugs(found) == ["bias-averaged"]
    assert found.unexplained == ("dW1",)


def test_a_mistake_seen_by_shape_and_found_in_numbers_is_named_once() -> None:
    """dW2 is square here, so its shape shows nothing."""
    square = network(H=4)
    posted = answer(square)

    found = named(square, posted | {"dW1": posted["dW1"].T, "dW2": posted["dW2"].T})

    assert slugs(found) == ["transposed"]
