"""Repeated measurements, interleaved, and what is said about them.

Contenders take turns within every repetition, so a busy spell of a shared machine meets all of
them, and a ratio is taken within a repetition before the median over repetitions.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple


class Timing(NamedTuple):
    """One measurement, in seconds."""

    wall: float
    cpu: float


Contender = Callable[[], Timing]
Timings = dict[str, list[Timing]]  # of each contender, in the order of the repetitions


def timed(work: Callable[[], object]) -> Timing:
    """One call in this thread."""
    wall, cpu = time.perf_counter(), time.thread_time()
    work()
    return Timing(time.perf_counter() - wall, time.thread_time() - cpu)


def interleaved(contenders: Mapping[str, Contender], repetitions: int) -> Timings:
    """Time all contenders `repetitions` times in turn, after one turn that does not count."""
    found: Timings = {name: [] for name in contenders}
    for _ in range(1 + repetitions):
        for name, contender in contenders.items():
            found[name].append(contender())
    return {name: timings[1:] for name, timings in found.items()}


def cpu(timings: Sequence[Timing]) -> list[float]:
    return [timing.cpu for timing in timings]


def wall(timings: Sequence[Timing]) -> list[float]:
    return [timing.wall for timing in timings]


def ratio(ours: Sequence[float], other: Sequence[float]) -> float:
    """Median over the repetitions of ours / other."""
    return statistics.median(a / b for a, b in zip(ours, other, strict=True))


def spread(values: Sequence[float], scale: float = 1.0, digits: int = 2) -> str:
    """Median (lowest to highest), each multiplied by `scale`."""
    low, middle, high = (
        f"{scale * value:,.{digits}f}"
        for value in (min(values), statistics.median(values), max(values))
    )
    return f"{middle} ({low} to {high})"
