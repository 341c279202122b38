"""What `softlens bench` found, as figures and as lines for people."""

import math
import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple  # Any: JSON

if TYPE_CHECKING:
    from app.commands.load import Answers
    from app.commands.target import Model, Spent


class Asked(NamedTuple):
    """What is posted, and how it is described."""

    model: "Model"
    path: str
    route: str  # the path as the server's metrics have it
    body: bytes
    rows: int | None  # None: of a body that was given


class Run(NamedTuple):
    """One number of connections."""

    connections: int
    answers: "Answers"
    spent: "Spent | None"  # by the server meanwhile; None where it does not tell


def document(url: str, asked: Asked, found: list[Run]) -> dict[str, Any]:
    """What --json prints; times in seconds, those of a request as means."""
    return {
        "url": url,
        "path": asked.path,
        "model": asked.model.name,
        "version": asked.model.version,
        "features": asked.model.features,
        "rows": asked.rows,
        "bytes": len(asked.body),
        "runs": [_figures(one) for one in found],
    }


def _figures(one: Run) -> dict[str, Any]:
    answers = one.answers
    latencies = sorted(answers.latencies)
    return {
        "connections": one.connections,
        "requests": len(latencies),
        "refused": {str(status): count for status, count in sorted(answers.refused.items())},
        "lost": answers.lost,
        "seconds": answers.seconds,
        "requests_per_second": len(latencies) / answers.seconds,
        "latency": {
            "mean": statistics.fmean(latencies),
            "p50": _percentile(latencies, 0.5),
            "p99": _percentile(latencies, 0.99),
        },
        "spent": _shares(statistics.fmean(latencies), one.spent),
    }


def _percentile(ordered: list[float], share: float) -> float:
    """The least value that so large a share of all does not exceed."""
    return ordered[math.ceil(share * len(ordered)) - 1]


def _shares(latency: float, spent: "Spent | None") -> dict[str, float | None] | None:
    """Where the mean latency goes; None where the server does not tell."""
    if spent is None or not spent.requests:
        return None
    duration, inference, waiting = (
        whole / spent.requests for whole in (spent.duration, spent.inference, spent.waiting)
    )
    return {
        "outside": latency - duration,
        "waiting": waiting,
        "handling": duration - waiting - inference,
        "inference": inference,
        "cpu": None if spent.cpu is None else spent.cpu / spent.requests,
        "requests": spent.requests,
    }


def lines(asked: Asked, found: list[Run]) -> Iterator[str]:
    """Tables: how fast, and, where the server tells, where the time went."""
    yield f"POST {asked.path}: {_described(asked)}, {len(asked.body):,} bytes"
    yield ""
    yield f"{'connections':>11} {'requests/s':>11} {'p50 ms':>9} {'p99 ms':>9} {'failed':>7}"
    figures = [_figures(one) for one in found]
    for one in figures:
        latency, failed = one["latency"], sum(one["refused"].values()) + one["lost"]
        yield (
            f"{one['connections']:>11} {one['requests_per_second']:>11,.0f} "
            f"{1e3 * latency['p50']:>9.3f} {1e3 * latency['p99']:>9.3f} {failed:>7}"
        )
    if all(one["spent"] for one in figures):
        yield ""
        yield from _spent_lines(figures)


def _described(asked: Asked) -> str:
    model = f"{asked.model.name} version {asked.model.version}"
    if asked.rows is None:
        return f"{model}, a body of its own"
    rows = f"{asked.rows} row{'s' if asked.rows > 1 else ''}"
    return f"{model}, {rows} of {asked.model.features} features"


def _spent_lines(figures: list[dict[str, Any]]) -> Iterator[str]:
    yield "where the time of a request goes, microseconds, means"
    yield f"{'connections':>11} {'latency':>9} = {'outside':>9} + {'waiting':>8} + " + (
        f"{'handling':>8} + {'model':>8} {'CPU':>9}"
    )
    for one in figures:
        spent, cpu = one["spent"], one["spent"]["cpu"]
        numbers = [1e6 * spent[name] for name in ("outside", "waiting", "handling", "inference")]
        outside, waiting, handling, model = (f"{number:,.0f}" for number in numbers)
        yield (
            f"{one['connections']:>11} {1e6 * one['latency']['mean']:>9,.0f} = {outside:>9} + "
            f"{waiting:>8} + {handling:>8} + {model:>8} "
            f"{'' if cpu is None else f'{1e6 * cpu:,.0f}':>9}"
        )
