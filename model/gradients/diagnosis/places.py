"""Where gradients are judged, and what is known there before any of them has come."""

import functools
from typing import TypeAlias

from model.gradients.diagnosis.judging import Floors
from model.gradients.diagnosis.naming import Context, context_of
from model.gradients.given import Given, right_answers
from model.gradients.probes import Probe, probe
from model.gradients.reading import GivenArrays, read_given


class Place:
    """Where gradients are judged, for who judges several there.

    Attributes:
        given: the point.
        right: every tensor that can be asked for.
        floors: what rounding explains.
    """

    def __init__(self, given: Given) -> None:
        self.given, self.right, self.floors = given, right_answers(given), Floors(given)

    @functools.cached_property
    def context(self) -> Context:
        """What an explanation needs to know, with what each mistake alone would give."""
        return context_of(self.given, self.right)


Where: TypeAlias = Probe | GivenArrays | Given | Place


def place_of(given: Where) -> Place:
    """What is known where gradients are judged; `check` takes it instead of the point.

    Raises:
        InvalidInputError: a name, shape or value is not what is expected.
    """
    if isinstance(given, Place):
        return given
    if isinstance(given, Probe):
        return _place_of_probe(given.level, given.seed)
    return Place(as_given(given))


# Kept, since whoever mends a gradient checks it at the same probe again and again.
@functools.lru_cache(maxsize=16)
def _place_of_probe(level: str, seed: int) -> Place:
    return Place(as_given(probe(level, seed)))


def as_given(given: Probe | GivenArrays | Given) -> Given:
    """The point that a probe or arrays describe.

    Raises:
        InvalidInputError: a name, shape or value is not what is expected.
    """
    if isinstance(given, Given):
        return given
    return read_given(given.given if isinstance(given, Probe) else given)
