"""How long a verdict takes: every mistake of the catalogue, at one small network."""

import statistics
from collections.abc import Iterator

from threadpoolctl import threadpool_limits

from model.gradients import Probe, check, probe
from tests.benchmarks.machine import circumstances
from tests.benchmarks.markdown import Requirement, paragraphs, table, verdicts
from tests.benchmarks.timing import Contender, Timings, interleaved, spread, timed, wall
from tests.verdicts.made import Answer, made
from tests.verdicts.programs import answer
from tests.verdicts.shown import SHOWN, problem
from tests.verdicts.trials import possible

SIZES = (5, 9, 11, 4)  # N, D, H, C
RIGHT = "a right gradient"


def run(quick: bool) -> str:
    posed = _probe()
    answers = dict(_answers(posed))
    with threadpool_limits(1):
        kept = interleaved(
            {name: _check(posed, given) for name, given in answers.items()}, 3 if quick else 11
        )
        fresh = interleaved(
            {name: _check_anew(posed, given) for name, given in answers.items()}, 3 if quick else 11
        )
    rows = [
        (what, *(spread(_medians(timings, wrong=wrong), 1e3) for wrong in (False, True)))
        for what, timings in {
            "at a probe checked before": kept,
            "at arrays not seen before": fresh,
        }.items()
    ]
    worst = max(_medians(fresh, wrong=True)) * 1e3
    N, D, H, C = SIZES
    return paragraphs(
        circumstances("numpy"),
        f"N = {N}, D = {D}, H = {H}, C = {C}: the probe with seed {posed.seed}, one thread. Each "
        f"answer is checked in turn; a mistake's time is its median. Of the {len(answers) - 1} "
        "mistakes the table has the median (lowest to highest).",
        table(("check, ms", RIGHT, "a wrong one"), rows),
        verdicts(
            [Requirement("slowest mistake, new arrays", "under 5 ms", f"{worst:.1f} ms", worst < 5)]
        ),
    )


def _probe() -> Probe:
    for seed in range(1000):
        found = probe("network", seed)
        (N, D), (H, C) = found.given["inputs"].shape, found.given["W2"].shape
        if (N, D, H, C) == SIZES:
            return found
    raise LookupError(f"no probe of sizes {SIZES}")


def _answers(posed: Probe) -> Iterator[tuple[str, Answer]]:
    yield RIGHT, answer(posed.given)
    for slug in SHOWN["network"]:
        if possible(slug, posed.given) and problem("network", slug, posed.given) is posed.given:
            yield slug, answer(posed.given, made(slug))


def _check(posed: Probe, candidate: Answer) -> Contender:
    return lambda: timed(lambda: check(posed, candidate))


def _check_anew(posed: Probe, candidate: Answer) -> Contender:
    return lambda: timed(lambda: check(posed.given, candidate))


def _medians(timings: Timings, *, wrong: bool) -> list[float]:
    return [
        statistics.median(wall(found))
        for name, found in timings.items()
        if (name != RIGHT) == wrong
    ]
