"""What happens, counted in the thread of the loop, but for `reloaded`.

Answers are counted at the end of the turn of the loop in which they were made, one after the other:
after the first of them, the steps it takes are in the processor's caches.
"""

import asyncio
import time
from bisect import bisect_left
from threading import Lock

from app.calls import Call
from app.observability.board import DRAINING, QUEUED, Board
from app.observability.confidence import Confidence
from app.observability.layout import (
    DISCONNECTED,
    INFERENCE,
    QUEUE,
    ROWS,
    SECONDS,
    Layout,
)
from app.observability.requests import RequestLog
from app.observability.traces import describe_span

# From the start of a group: after as many buckets as there are bounds, and one more.
_SECONDS_SUM, _ROWS_SUM = len(SECONDS) + 1, len(ROWS.bounds) + 1
_ROWS = ROWS.bounds


class Meter:
    """Counts requests and all that concerns them, and passes them to the log.

    Attributes:
        layout: of what is counted.
        board: where.
        confidence: of answers, which is looked at a little later.
    """

    def __init__(self, layout: Layout, board: Board, log: RequestLog) -> None:
        self.layout = layout
        self.board = board
        self.confidence = Confidence(layout, board)
        self._numbers = board.numbers
        self._log = log
        self._inference, self._rows = layout.start[INFERENCE], layout.start[ROWS]
        # At most one for each group of requests: methods of the client's own are not kept.
        self._known: dict[tuple[str, str, int], int] = {}
        self._from_threads = Lock()
        self._answered: list[tuple[Call, int, int]] = []  # in this turn: status, and when

    def answered(self, call: Call, status: int) -> None:
        """Count a request that has its answer, whatever that is; at the end of this turn."""
        if "fastapi.telemetry" in call.scope:
            describe_span(call)  # which is about to end
        if not self._answered:
            asyncio.get_running_loop().call_soon(self.settle)
        self._answered.append((call, status, time.perf_counter_ns()))

    def settle(self) -> None:
        """Count what is not counted yet, for whoever is about to look at it."""
        answered, self._answered = self._answered, []
        for call, status, ended in answered:
            self._count(call, status, (ended - call.started) * 1e-9)

    def _count(self, call: Call, status: int, seconds: float) -> None:
        numbers = self._numbers
        place = self._known.get((call.route, call.method, status))
        if place is None:
            place = self._find(call, status)
        numbers[place + bisect_left(SECONDS, seconds)] += 1
        numbers[place + _SECONDS_SUM] += seconds

        run = call.run
        if call.refusal:
            self.refused(call.refusal)
        elif run is not None and run.rows:
            computing = run.computing * 1e-9
            numbers[self._inference + bisect_left(SECONDS, computing)] += 1
            numbers[self._inference + _SECONDS_SUM] += computing
            numbers[self._rows + bisect_left(_ROWS, run.rows)] += 1
            numbers[self._rows + _ROWS_SUM] += run.rows
            if run.probabilities is not None:
                self.confidence.note(run.probabilities)
        if self._log.wanted:
            self._log.note(call, status, seconds)

    def left(self) -> None:
        """Count a request whose client left before it was whole."""
        self._numbers[self.layout.start[DISCONNECTED]] += 1

    def refused(self, reason: str) -> None:
        """Count what was refused, by the slug of its problem; also before it is a request."""
        self._numbers[self.layout.reason(reason)] += 1

    def cut(self, reason: str) -> None:
        """Count an answer that was given up because its client did not take it."""
        self._numbers[self.layout.start["cut", reason]] += 1

    def waited(self, seconds: float) -> None:
        """Count how long a request waited until it was computed."""
        _observe(self._numbers, self.layout.start[QUEUE], QUEUE.bounds, seconds)

    def set_queued(self, requests: int) -> None:
        """Tell how many wait now."""
        self._numbers[QUEUED] = requests

    def set_draining(self, draining: bool) -> None:
        """Tell whether this process takes its leave."""
        self._numbers[DRAINING] = draining

    def reloaded(self, result: str) -> None:
        """Count a model's version that was `loaded` or `refused` after the start; in any thread."""
        with self._from_threads:
            self._numbers[self.layout.start["result", result]] += 1

    def close(self) -> None:
        """Count what is left, and let the last lines of the log be written."""
        self.settle()
        self._log.close()

    def _find(self, call: Call, status: int) -> int:
        place = self.layout.request(call.route, call.method, status)
        if call.route:
            self._known[call.route, call.method, status] = place
        return place


def _observe(
    numbers: "memoryview[float]", place: int, bounds: tuple[float, ...], value: float
) -> None:
    numbers[place + bisect_left(bounds, value)] += 1
    numbers[place + len(bounds) + 1] += value
