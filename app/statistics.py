"""What every version of every model has answered: how often, and how long each stage took."""

import threading
import time
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import NamedTuple, Self

from app.repository import Served
from model import Float32s


class Stages(NamedTuple):
    """Nanoseconds that an answer took."""

    decoding: int = 0  # body to array
    computing: int = 0  # the model
    encoding: int = 0  # arrays to body


@dataclass
class Total:
    """Answers, and the nanoseconds that each stage of them took together."""

    count: int = 0
    decoding: int = 0
    computing: int = 0
    encoding: int = 0

    def add(self, stages: tuple[int, int, int]) -> None:
        """Count one more."""
        self.count += 1
        self.decoding += stages[0]
        self.computing += stages[1]
        self.encoding += stages[2]

    @property
    def stages(self) -> Stages:
        """Of all of them together."""
        return Stages(self.decoding, self.computing, self.encoding)


@dataclass
class Counters:
    """All requests to one version of a model. Each that is answered is one run of the model."""

    rows: int = 0
    failed: int = 0
    failed_ns: int = 0
    last: int = 0  # milliseconds since 1970; 0 for never
    by_rows: dict[int, Total] = field(default_factory=dict)  # answered, by the size of the batch

    @property
    def answered(self) -> Total:
        """All answers together."""
        stages = zip(*(total.stages for total in self.by_rows.values()), strict=True)
        count = sum(total.count for total in self.by_rows.values())
        return Total(count, *map(sum, stages))


class Statistics:
    """Counters by name and version, for requests in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: dict[tuple[str, str], Counters] = {}

    def of(self, name: str, version: str) -> Counters:
        """What this version has answered so far; a copy."""
        with self._lock:
            found = self._counters.get((name, version), Counters())
            by_rows = {rows: replace(total) for rows, total in found.by_rows.items()}
            return replace(found, by_rows=by_rows)

    def answered(self, served: Served, rows: int, stages: tuple[int, int, int]) -> None:
        """Count an answer.

        Args:
            served: who answered.
            rows: of the batch.
            stages: as of Stages.
        """
        with self._lock:
            counters = self._of(served)
            counters.rows += rows
            counters.last = time.time_ns() // 1_000_000
            total = counters.by_rows.get(rows)
            if total is None:
                total = counters.by_rows[rows] = Total()
            total.add(stages)

    def failed(self, served: Served, nanoseconds: int) -> None:
        """Count a request that got an error for an answer."""
        with self._lock:
            counters = self._of(served)
            counters.failed += 1
            counters.failed_ns += nanoseconds

    def _of(self, served: Served) -> Counters:
        found = self._counters.get((served.name, served.version))
        if found is None:
            found = self._counters[served.name, served.version] = Counters()
        return found


class Run:
    """One request to a model, from its decoding to its encoding.

    A context that counts itself when it ends; not at all where the model was not needed.

    Attributes:
        served: the model.
        started: reading of perf_counter_ns when it began.
        rows: that the model computed; 0 where it was not needed.
        decoding: nanoseconds before it did.
        computing: nanoseconds that it took.
        probabilities: (N, C) that were answered, where that is what was asked for.
    """

    def __init__(self, served: Served, statistics: Statistics) -> None:
        self.served = served
        self._statistics = statistics
        self.rows = self.decoding = self.computing = self.started = 0
        self.probabilities: Float32s | None = None

    def __enter__(self) -> Self:
        self.started = time.perf_counter_ns()
        return self

    def computed(self, rows: int, since: int) -> None:
        """Note that the model computed so many rows, since that reading of perf_counter_ns."""
        if not self.rows:
            self.rows, self.decoding = rows, since - self.started
        self.computing += time.perf_counter_ns() - since

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        took = time.perf_counter_ns() - self.started
        if error is not None:
            self._statistics.failed(self.served, took)
        elif self.rows:
            encoding = took - self.decoding - self.computing
            stages = (self.decoding, self.computing, encoding)
            self._statistics.answered(self.served, self.rows, stages)
