"""One mistake at one problem: made by an independent program, rounded, posted, named."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from model.gradients import Probe, Report, check, probe
from tests.verdicts.made import Answer, Array, Given, made
from tests.verdicts.programs import answer
from tests.verdicts.shown import ONLY, OWN, SHOWN, forms, problem

ROUNDINGS = ("float64", "float32", "4 digits")
SAME = 1e-9  # relative; answers this close are one answer


class Trial(NamedTuple):
    """What became of a mistake."""

    level: str
    slug: str
    seed: int
    rounding: str
    named: bool  # it, or an equivalent, ranks first
    alone: bool  # and nothing else is named beside it
    found: tuple[str, ...]  # what ranks first, and what the report says is equivalent
    equivalent: tuple[str, ...]  # what the programs say is


def rounded(values: Array, rounding: str) -> Array:
    if rounding == "float64":
        return values.astype(np.float64)
    if rounding == "float32":
        return values.astype(np.float32).astype(np.float64)
    digits = [float(f"{value:.4g}") for value in values.ravel().tolist()]
    return np.array(digits).reshape(values.shape)


def rounded_answer(answered: Answer, rounding: str) -> Answer:
    return {name: rounded(values, rounding) for name, values in answered.items()}


def same(one: Answer, other: Answer) -> bool:
    """Whether two answers agree to 1e-9, relative to the largest entry of each tensor."""
    return one.keys() == other.keys() and all(_close(one[name], other[name]) for name in one)


def _close(one: Array, other: Array) -> bool:
    """NaN and infinity are the same as each other: neither is a number."""
    if one.shape != other.shape or not np.array_equal(np.isfinite(one), np.isfinite(other)):
        return False
    a, b = one[np.isfinite(one)], other[np.isfinite(other)]
    size = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    return bool(np.abs(a - b).max(initial=0.0) <= SAME * size)


def possible(slug: str, given: Given) -> bool:
    """Some mistakes are made with one activation only, or need shapes that fit."""
    if "activation" not in given:
        return True
    (D, H), C = given["W1"].shape, given["W2"].shape[1]
    fits = {"weights-not-transposed": H == C, "inputs-for-activation": D == H}
    return ONLY.get(slug, given["activation"]) == given["activation"] and fits.get(slug, True)


def every_answer(level: str, given: Given) -> dict[str, list[Answer]]:
    """What each mistake that can be made here computes, in each of its forms."""
    return {
        slug: [answer(given, made(slug, form=form)) for form in range(forms(level, slug))]
        for slug in SHOWN[level]
        if possible(slug, given)
    }


def shows(level: str, slug: str, seed: int, given: Given) -> bool:
    """Whether a mistake, in the form that this seed has it in, changes any number of a probe's."""
    posed = problem(level, slug, given)
    if not possible(slug, posed):
        return False
    return not same(answer(posed, made(slug, form=seed % forms(level, slug))), answer(posed))


def trials_of(level: str, seed: int, slugs: tuple[str, ...]) -> list[Trial]:
    """Each mistake in one form, at three precisions."""
    posed = probe(level, seed)
    known = every_answer(level, posed.given)
    found: list[Trial] = []
    for slug in slugs:
        if (level, slug) in OWN:
            given = problem(level, slug, posed.given)
            found += _tried(given, every_answer(level, given), level, slug, seed)
        else:
            found += _tried(posed, known, level, slug, seed)
    return found


def _tried(
    posed: Probe | Given, known: dict[str, list[Answer]], level: str, slug: str, seed: int
) -> Iterator[Trial]:
    answered = known[slug][seed % len(known[slug])]
    equivalent = tuple(
        other
        for other, answers in known.items()
        if other != slug and any(same(answered, one) for one in answers)
    )
    for rounding in ROUNDINGS:
        report = check(posed, rounded_answer(answered, rounding))
        yield _trial(report, Trial(level, slug, seed, rounding, False, False, (), equivalent))


def _trial(report: Report, trial: Trial) -> Trial:
    first, *beside = report.mistakes or (None,)
    found = () if first is None else (first.mistake.slug, *first.equivalent)
    named = report.verdict == "wrong" and trial.slug in found
    return trial._replace(named=named, alone=named and not beside, found=found)


class Blind(NamedTuple):
    """A mistake that changes nothing on a probe while the report lacks it, or the reverse."""

    level: str
    seed: int
    slug: str


def wrongly_blind(level: str, seed: int) -> list[Blind]:
    """Where the blind spots that are reported differ from those that the programs have."""
    posed = probe(level, seed)
    right = answer(posed.given)
    known = every_answer(level, posed.given)
    hidden = {slug for slug, answers in known.items() if all(same(one, right) for one in answers)}
    reported = set(check(posed, right).blind_spots)
    return [Blind(level, seed, slug) for slug in sorted(hidden ^ reported)]
