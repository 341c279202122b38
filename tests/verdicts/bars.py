"""What was asked of the verdicts, and whether it was met."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from tests.benchmarks.markdown import Requirement
from tests.verdicts.running import Ran
from tests.verdicts.shown import NO_NUMBERS
from tests.verdicts.trials import ROUNDINGS, Trial

NAMED = {"float64": 1.0, "float32": 1.0, "4 digits": 0.995}
PAIRS = 0.97


class Share(NamedTuple):
    """So many of so many."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        return self.hits / self.of if self.of else 0.0

    def __str__(self) -> str:
        """In percent, and never rounded up to all of them."""
        if self.hits == self.of:
            return "100 %"
        return f"{min(100 * self.value, 99.99):.2f} %"


def share(outcomes: Iterable[bool]) -> Share:
    counted = Counter(outcomes)
    return Share(counted[True], counted.total())


def worst(trials: list[Trial], rounding: str) -> tuple[str, Share]:
    """The mistake, and its level, that was named least often."""
    by_case: dict[str, list[bool]] = {}
    for trial in trials:
        if trial.rounding == rounding:
            by_case.setdefault(f"{trial.slug}, {trial.level}", []).append(trial.named)
    shares = {case: share(outcomes) for case, outcomes in by_case.items()}
    return min(shares.items(), key=lambda item: item[1].value)


def unsound(trials: list[Trial]) -> list[Trial]:
    """Classes that hold something whose numbers are others."""
    return [
        trial
        for trial in trials
        if trial.named and not set(trial.found) - {trial.slug} <= set(trial.equivalent)
    ]


def incomplete(trials: list[Trial]) -> list[Trial]:
    """Classes that lack something whose numbers are the same; NaN is no number."""
    return [
        trial
        for trial in trials
        if trial.named
        and trial.slug not in NO_NUMBERS
        and not set(trial.equivalent) <= set(trial.found)
    ]


def requirements(ran: Ran) -> list[Requirement]:
    """Everything that must hold."""
    found = []
    for rounding in ROUNDINGS:
        case, named = worst(ran.trials, rounding)
        found.append(
            Requirement(
                f"named first, each mistake at each level, {rounding}",
                f"at least {100 * NAMED[rounding]:g} %",
                str(named) + ("" if named.value == 1 else f" ({case})"),
                named.value >= NAMED[rounding],
            )
        )
    pairs = share(pair.named for pair in ran.pairs)
    return [
        *found,
        _none("answers in whose class other numbers are", len(unsound(ran.trials))),
        _none("answers whose class lacks equal numbers", len(incomplete(ran.trials))),
        _none("blind spots missed or made up", len(ran.blind)),
        _none(f"false alarms, {ran.rights:,} right answers", len(ran.alarms)),
        Requirement(
            "two mistakes, both named", f"at least {100 * PAIRS:g} %", str(pairs),
            pairs.value >= PAIRS,
        ),
    ]  # fmt: skip


def _none(what: str, count: int) -> Requirement:
    return Requirement(what, "0", f"{count:,}", count == 0)
