"""Contenders that must give the same numbers, the table of their times, and what was asked."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tests.benchmarks.markdown import Requirement, table
from tests.benchmarks.peers import Work, Works
from tests.benchmarks.timing import (
    Contender,
    Timing,
    Timings,
    interleaved,
    ratio,
    spread,
    timed,
    wall,
)

OURS, NEW = "softlens, `out`", "softlens, new array"


class Part(NamedTuple):
    """A table, and what was asked of it."""

    text: str
    requirements: list[Requirement]


def contest(
    limit: Callable[[], object],
    name: str,
    ours: Works,
    others: Works,
    repetitions: int,
    rest: float = 0,
) -> Timings:
    """All that are here, interleaved; they must agree first. Nothing for those that are absent.

    With `rest`, in seconds, each waits so long before its turn and runs once for nothing: threads
    of a pool keep a core busy for a while after their work, which is somebody else's turn.
    """
    works = {who: work for who, work in (ours | others).items() if work}
    _agree(works)
    contenders = {who: _contender(work, rest) for who, work in ({name: limit} | works).items()}
    found = interleaved(contenders, repetitions)
    return {who: found.get(who, []) for who in (name, *ours, *others)}


def _agree(works: dict[str, Work]) -> None:
    first, *others = [np.array(work()) for work in works.values()]
    for answer in others:
        # Not all: a relu whose z1 is 0 to rounding may be on in one and off in the other.
        assert np.quantile(np.abs(answer - first), 0.9) < 1e-5 * np.abs(first).max()


def _contender(work: Callable[[], object], rest: float) -> Contender:
    def turn() -> Timing:
        if rest:
            time.sleep(rest)
            work()
        return timed(work)

    return turn


def times(title: str, timings: Timings, limit: str) -> str:
    """Milliseconds of each, and how many times the limit that is."""
    least = wall(timings[limit])
    rows = [
        (who, spread(wall(t), scale=1e3), f"{ratio(wall(t), least):.2f}")
        if t
        else (who, "not installed", "")
        for who, t in timings.items()
    ]
    return table((title, "ms", f"/ {limit.partition(',')[0]}"), rows)


def at_most(what: str, timings: Timings, limit: str, most: float) -> list[Requirement]:
    found = ratio(wall(timings[OURS]), wall(timings[limit]))
    return [Requirement(what, f"at most {most}", f"{found:.2f}", found <= most)]


def at_least(
    what: str, timings: Timings, peer: str, least: float, ours: str = OURS
) -> list[Requirement]:
    """Nothing where the peer is not installed."""
    if not timings[peer]:
        return []
    found = ratio(wall(timings[peer]), wall(timings[ours]))
    return [Requirement(what, f"at least {least}", f"{found:.2f}", found >= least)]
