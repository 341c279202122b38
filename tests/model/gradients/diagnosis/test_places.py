import pytest

from model.gradients import blind_spots_of, check, place_of, possible_mistakes, probe
from tests.model.gradients.diagnosis.problems import network, right
from tests.verdicts.made import made
from tests.verdicts.programs import answer


@pytest.mark.parametrize("slug", [None, "slope-omitted", "sum-instead-of-mean"])
def test_checks_at_a_place_are_those_at_its_point(slug: str | None) -> None:
    """Time and again: no check leaves anything behind for the next one."""
    given = network()
    posted = right(given) if slug is None else answer(given, made(slug))
    place = place_of(given)

    first, second = check(place, posted), check(place, posted)

    # Their text, because evidence holds arrays, which no `==` compares as one.
    assert str(first) == str(second) == str(check(given, posted))
    assert first.tensors == second.tensors
    assert possible_mistakes(place) == possible_mistakes(given)
    assert blind_spots_of(place) == blind_spots_of(given)


def test_the_place_of_a_probe_is_kept() -> None:
    assert place_of(probe("loss", 7)) is place_of(probe("loss", 7))
