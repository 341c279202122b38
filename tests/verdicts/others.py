"""Right answers, and two mistakes at once: made by an independent program, posted, judged."""

from typing import NamedTuple

import numpy as np

from model.gradients import check, probe
from tests.verdicts.made import Given, made
from tests.verdicts.programs import answer
from tests.verdicts.shown import DELTA3, SLOPES
from tests.verdicts.trials import ROUNDINGS, possible, rounded_answer, same


class Alarm(NamedTuple):
    """A right answer that was not called right."""

    level: str
    seed: int
    computed: str
    rounding: str
    verdict: str


class Pair(NamedTuple):
    """What became of two mistakes."""

    seed: int
    delta3: str
    slope: str
    named: bool  # both, or equivalents of them
    alone: bool  # and nothing else
    found: tuple[str, ...]


def in_type(given: Given, dtype: type[np.float32 | np.float64]) -> Given:
    """All real arrays in another type."""
    return {
        name: value.astype(dtype)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f"
        else value
        for name, value in given.items()
    }


def alarms_of(level: str, seed: int) -> list[Alarm]:
    """Two right answers, in float64 and in float32, each as it is and rounded further."""
    posed = probe(level, seed)
    found = []
    for dtype in (np.float64, np.float32):
        answered = answer(in_type(posed.given, dtype))
        for rounding in ROUNDINGS:
            verdict = check(posed, rounded_answer(answered, rounding)).verdict
            if verdict != "right":
                found.append(Alarm(level, seed, dtype.__name__, rounding, verdict))
    return found


def pairs_of(seed: int) -> list[Pair]:
    """Every wrong delta3 with every wrong f'; those that do not differ from one are left out."""
    posed = probe("network", seed)
    found = []
    slopes = [slug for slug in SLOPES if possible(slug, posed.given)]
    for first in DELTA3:
        only_first = answer(posed.given, made(first))
        for second in slopes:
            answered = answer(posed.given, made(first, second))
            if not same(answered, only_first):
                report = check(posed, answered)
                classes = [(one.mistake.slug, *one.equivalent) for one in report.mistakes]
                found.append(_pair(seed, first, second, classes))
    return found


def _pair(seed: int, first: str, second: str, classes: list[tuple[str, ...]]) -> Pair:
    """Named by different entries of the report, so that one class cannot stand for both."""
    named = any(
        first in one and second in other for one in classes for other in classes if one is not other
    )
    found = tuple(one[0] for one in classes)
    return Pair(seed, first, second, named, named and len(found) == 2, found)
