"""All that is counted, as Prometheus reads it.

prometheus-client writes the text. It is imported at the first scrape and not at the start: it takes
0.1 s, and whoever has no Prometheus never needs it.
"""

import platform
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from app.observability.board import DRAINING, QUEUED, Board
from app.observability.layout import (
    COUNTERS,
    CUTS,
    DISTRIBUTIONS,
    DURATION,
    REASONS,
    RESULTS,
    Distribution,
    Layout,
)
from app.observability.processes import processes_of, used
from app.repository import Repository
from model import Float64s, __version__

if TYPE_CHECKING:
    from prometheus_client import Metric


_MEANINGS = {
    "reason": "What was refused, by its problem.",
    "cut": "Answers that were given up because their clients did not take them.",
    "result": "Versions of models that came or changed after the start.",
}


class Exposition:
    """The numbers of a board, and what is known of models and processes."""

    def __init__(self, layout: Layout, board: Board, repository: Repository) -> None:
        self._layout = layout
        self._board = board
        self._repository = repository

    def written(self, accepted: str) -> tuple[bytes, str]:
        """Everything as text, and the name of its format. Takes a while: belongs in a thread.

        Args:
            accepted: the formats that a client reads, of `Accept`.
        """
        from prometheus_client.exposition import choose_encoder  # noqa: PLC0415  see above

        write, media_type = choose_encoder(accepted)
        return write(self), media_type

    def collect(self) -> "Iterator[Metric]":
        """Every family of metrics, in the order of docs/operating.md; as its library asks."""
        totals = np.sum([np.asarray(slot) for slot in self._board.slots()], axis=0)
        yield from self._requests(totals)
        for distribution in DISTRIBUTIONS:
            place = self._layout.start[distribution]
            family = _histogram(distribution, [])
            family.add_metric([], *_buckets(distribution, totals[place:]))
            yield family
        yield from self._counters(totals)
        yield from self._state()
        yield from self._processes()

    def _requests(self, totals: Float64s) -> "Iterator[Metric]":
        labels = ["http_request_method", "http_route", "http_response_status_code"]
        durations, counts = _histogram(DURATION, labels), dict[tuple[str, str], float]()
        for (door, code), place in self._layout.requests.items():
            count = float(totals[place : place + DURATION.width - 1].sum())
            if count:
                durations.add_metric(
                    [door.method, door.route, code], *_buckets(DURATION, totals[place:])
                )
                counts[door.route, code] = counts.get((door.route, code), 0) + count

        answered = _counter("softlens_requests_total", "Requests that were answered.")
        for (route, code), count in counts.items():
            answered.add_sample("softlens_requests_total", {"route": route, "code": code}, count)
        yield answered
        yield durations

    def _counters(self, totals: Float64s) -> "Iterator[Metric]":
        start = self._layout.start
        for name, label, kind, values in (
            ("softlens_rejected_total", "reason", "reason", REASONS),
            ("softlens_answers_cut_total", "reason", "cut", CUTS),
            ("softlens_model_reloads_total", "result", "result", RESULTS),
        ):
            family = _counter(name, _MEANINGS[kind])
            for value in values:
                family.add_sample(name, {label: value}, totals[start[kind, value]])
            yield family
        for counter in COUNTERS:
            family = _counter(counter.name, counter.meaning)
            family.add_sample(counter.name, {}, totals[start[counter]])
            yield family

    def _state(self) -> "Iterator[Metric]":
        live = self._board.live()
        queued, draining = (sum(slot[gauge] for slot in live) for gauge in (QUEUED, DRAINING))
        yield _gauge("softlens_queue_depth", "Requests that wait to be computed.", queued)
        yield _gauge("softlens_draining", "Workers that take no new requests and end.", draining)
        yield _gauge("softlens_workers", "Processes that answer requests.", len(live))
        build = {"version": __version__, "python": platform.python_version()}
        yield _gauge("softlens_build_info", "What is running.", 1, build)
        models = _gauge("softlens_model_info", "What is served.")
        for served in self._repository.all():
            sha = served.classifier.metadata["sha256"]
            labels = {"model": served.name, "version": served.version, "sha": sha}
            models.add_sample("softlens_model_info", labels, 1)
        yield models

    def _processes(self) -> "Iterator[Metric]":
        supervised = self._board.supervised
        for kind, name, meaning, value in used(processes_of(self._board), supervised=supervised):
            family = _counter(name, meaning) if kind == "counter" else _gauge(name, meaning)
            family.add_sample(name, {}, value)
            yield family


def _histogram(of: Distribution, labels: list[str]) -> Any:  # Any: a class that is imported late
    from prometheus_client.metrics_core import HistogramMetricFamily  # noqa: PLC0415  see above

    return HistogramMetricFamily(of.name, of.meaning, labels=labels)


def _buckets(of: Distribution, numbers: Float64s) -> tuple[list[tuple[str, float]], float]:
    """How many are up to each bound, and the sum of all."""
    counts = accumulate(numbers[: len(of.bounds) + 1].tolist())
    bounds = [*(str(float(bound)) for bound in of.bounds), "+Inf"]
    return list(zip(bounds, counts, strict=True)), float(numbers[len(of.bounds) + 1])


def _counter(name: str, meaning: str) -> "Metric":
    from prometheus_client import Metric  # noqa: PLC0415  see above

    return Metric(name.removesuffix("_total"), meaning, "counter")


def _gauge(
    name: str, meaning: str, value: float | None = None, labels: dict[str, str] | None = None
) -> "Metric":
    from prometheus_client import Metric  # noqa: PLC0415  see above

    family = Metric(name, meaning, "gauge")
    if value is not None:
        family.add_sample(name, labels or {}, value)
    return family
