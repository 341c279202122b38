"""All of it, over the cores of this machine."""

import itertools
import multiprocessing
from collections.abc import Callable, Iterable
from multiprocessing.pool import Pool
from typing import Any, NamedTuple, TypeVar  # Any: whatever a task is made of

from model.gradients import probe
from tests.verdicts.others import Alarm, Pair, alarms_of, pairs_of
from tests.verdicts.shown import NEVER, SHOWN
from tests.verdicts.trials import Blind, Trial, shows, trials_of, wrongly_blind

Result = TypeVar("Result")

_MOST_SEEDS = 5  # for each probe that is wanted, until one of them shows the mistake


class Size(NamedTuple):
    """How much is tried."""

    probes: int  # for each mistake at each level; and those whose blind spots are looked at
    rights: int  # right answers, over levels and types
    pairs: int  # probes on which two mistakes are made at once


class Ran(NamedTuple):
    """Everything that was tried."""

    size: Size
    trials: list[Trial]
    blind: list[Blind]
    rights: int  # answers; each was posted at three precisions
    alarms: list[Alarm]
    pairs: list[Pair]


def run(size: Size, processes: int) -> Ran:
    """Try everything; one process is this one."""
    if processes == 1:
        return _run(size, None)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return _run(size, pool)


def _run(size: Size, pool: Pool | None) -> Ran:
    probes = [(level, seed) for level in SHOWN for seed in range(size.probes)]
    seeds = -(-size.rights // (2 * len(SHOWN)))  # of each level, for float64 and float32
    rights = [(level, seed) for level in SHOWN for seed in range(seeds)]
    return Ran(
        size,
        _each(pool, trials_of, trials_to_make(size.probes)),
        _each(pool, wrongly_blind, probes),
        2 * len(rights),
        _each(pool, alarms_of, rights),
        _each(pool, pairs_of, [(seed,) for seed in range(size.pairs)]),
    )


def _each(
    pool: Pool | None, work: Callable[..., list[Result]], tasks: Iterable[tuple[Any, ...]]
) -> list[Result]:
    found = itertools.starmap(work, tasks) if pool is None else pool.starmap(work, tasks, 4)
    return list(itertools.chain.from_iterable(found))


def trials_to_make(probes: int) -> list[tuple[str, int, tuple[str, ...]]]:
    """Level, seed, and the mistakes to make there: each on the first probes that it changes."""
    tasks = []
    for level, slugs in SHOWN.items():
        left = {slug: probes for slug in slugs if (level, slug) not in NEVER}
        for seed in range(_MOST_SEEDS * probes):
            given = probe(level, seed).given
            here = [slug for slug in left if left[slug] and shows(level, slug, seed, given)]
            for slug in here:
                left[slug] -= 1
            tasks.append((level, seed, tuple(here)))
            if not any(left.values()):
                break
        assert not any(left.values()), f"too rare: {left}"
    return tasks
