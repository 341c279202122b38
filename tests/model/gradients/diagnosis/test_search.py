from dataclasses import dataclass

import numpy as np
import pytest

from model.gradients import probe, read_given, right_answers
from model.gradients.chain import known
from model.gradients.diagnosis import search
from model.gradients.diagnosis.fitting import Posted
from model.gradients.diagnosis.search import Explanation, explain, usual_ways
from model.gradients.mistakes.mistake import Mistake
from tests.model.gradients.diagnosis.problems import followed
from tests.verdicts.made import Answer, Array, made
from tests.verdicts.programs import answer


@dataclass(frozen=True)
class Point:
    """Somewhere to search, through the level's own ways."""

    level: str

    def explain(self, tensors: Answer, measured: Array | None = None) -> Explanation:
        given = read_given(probe(self.level, 0).given)
        posted = {name: Posted(value, 1e-9) for name, value in tensors.items()}
        return explain(given, usual_ways(given), posted, measured)


NETWORK, JACOBIAN = Point("network"), Point("jacobian")
GIVEN = probe("network", 0).given
STRANGE = np.cos(np.arange(GIVEN["labels"].size * GIVEN["W2"].shape[1]) ** 2.0).reshape(
    GIVEN["labels"].size, -1
)  # a delta3 that no program computes


def slugs(names: tuple[Mistake, ...]) -> list[str]:
    return [mistake.slug for mistake in names]


@pytest.mark.parametrize("level", ["jacobian", "loss", "network"])
def test_the_first_of_the_usual_ways_is_the_right_one(level: str) -> None:
    given = read_given(probe(level, 0).given)
    first = "jacobian" if level == "jacobian" else "delta3"

    ways = usual_ways(given)

    assert ways[0].names == ()
    np.testing.assert_array_equal(ways[0].value, right_answers(given)[first])
    assert all(way.names for way in ways[1:])


@pytest.mark.parametrize("output", ["delta3-negated", "labels-shifted", "extra-softmax-derivative"])
@pytest.mark.parametrize("hidden", ["slope-omitted", "slope-of-sigmoid", "bias-of-one-row"])
def test_a_mistake_in_either_layer_is_two_names(output: str, hidden: str) -> None:
    found = NETWORK.explain(answer(GIVEN, made(output, hidden)))

    assert slugs(found.names) == [output, hidden]
    assert found.unexplained == ()
    assert found.explained_error < 1e-9


def test_the_hidden_layer_alone_shows_what_went_wrong_before_it() -> None:
    posted = answer(GIVEN, made("double-softmax"))

    found = NETWORK.explain({name: posted[name] for name in ("dW1", "db1")})

    assert slugs(found.names) == ["double-softmax"]


def test_a_tensor_that_nothing_explains_is_left_open_alone() -> None:
    posted = answer(GIVEN, made("labels-shifted"))

    found = NETWORK.explain(posted | {"dW1": np.cos(posted["dW1"])})

    assert slugs(found.names) == ["labels-shifted"]
    assert found.unexplained == ("dW1",)


def test_the_hidden_layer_is_judged_by_a_delta3_that_nobody_knows() -> None:
    found = NETWORK.explain(followed(GIVEN, STRANGE), measured=STRANGE)

    assert found.unnamed
    assert found.names == ()
    assert found.unexplained == ()


def test_without_that_delta3_nothing_is_made_up() -> None:
    found = NETWORK.explain(followed(GIVEN, STRANGE))

    assert not found.unnamed
    assert set(found.unexplained) >= {"dW2", "db2"}


def test_a_wrong_form_of_a_wrong_size_is_two_names() -> None:
    found = NETWORK.explain(answer(GIVEN, made("squared-error", "sum-instead-of-mean")))

    assert slugs(found.names) == ["squared-error", "sum-instead-of-mean"]


def test_large_answers_are_searched_for_one_mistake_in_delta3(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "_LARGEST", 1)

    one = NETWORK.explain(answer(GIVEN, made("squared-error")))
    two = NETWORK.explain(answer(GIVEN, made("squared-error", "sum-instead-of-mean")))

    assert slugs(one.names) == ["squared-error"]
    assert two.unexplained == ("dW2", "db2", "dW1", "db1")


@pytest.mark.parametrize("slug", ["jacobian-diagonal-only", "log-softmax-jacobian"])
def test_a_jacobian_is_the_closest_of_those_with_its_shape(slug: str) -> None:
    found = JACOBIAN.explain(answer(probe("jacobian", 0).given, made(slug)))

    assert slugs(found.names) == [slug]
    assert known(found.first).names == found.names


def test_a_jacobian_that_nobody_computes_has_no_name() -> None:
    right = right_answers(read_given(probe("jacobian", 0).given))["jacobian"]

    found = JACOBIAN.explain({"jacobian": np.cos(right)})

    assert found.names == ()
    assert found.unexplained == ("jacobian",)


def test_explaining_more_goes_before_fewer_mistakes_and_these_before_a_closer_fit() -> None:
    one, two = (NETWORK.explain(answer(GIVEN, made(*s))).names for s in (
        ("delta3-negated",), ("delta3-negated", "slope-omitted"),
    ))  # fmt: skip
    ranked = [
        Explanation(one, 1e-10, (), 0),
        Explanation(one, 1e-9, (), 0),
        Explanation(one, 0.0, (), 1),
        Explanation(two, 0.0, (), 0),
        Explanation(one, 0.0, (), 0, unnamed=True),
        Explanation((), 0.0, ("dW1", "db1"), 0),
    ]
    shuffled = ranked[::-1]

    assert sorted(shuffled, key=Explanation.rank) == ranked
