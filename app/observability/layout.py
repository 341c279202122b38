"""Which number of a slot means what. It follows from the code and the routes alone.

    gauges              board.GAUGES numbers
    counters            one number for each of COUNTERS
    refusals            one for each reason
    reloads             one for each result
    cuts                one for each reason
    distributions       one group for each of DISTRIBUTIONS
    requests            one group for each route, its methods, and each status

A group is a histogram: how many values lie in each bucket and in none below, then their sum.
Nothing that a client chooses makes a new number: other paths are `unmatched`, other methods
`_OTHER`.
"""

from collections.abc import Iterable
from typing import NamedTuple

from app.errors import STATUSES
from app.observability.board import GAUGES, NUMBERS

UNMATCHED = "unmatched"
OTHER_METHOD = "_OTHER"  # as OpenTelemetry calls it
OTHER = "other"
METHODS = (
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", OTHER_METHOD,
)  # fmt: skip
STATUS_CODES = tuple(sorted({200, *map(int, STATUSES.values())}))
REASONS = (*STATUSES, OTHER)
RESULTS = ("loaded", "refused")
CUTS = ("memory", "slow")

# OpenTelemetry's for the duration of requests, and three below: most of ours take less than 5 ms.
SECONDS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0,
    7.5, 10.0,
)  # fmt: skip


class Counter(NamedTuple):
    """Something that is counted."""

    name: str
    meaning: str


class Distribution(NamedTuple):
    """Values of which it is counted how many lie up to each bound."""

    name: str
    meaning: str
    bounds: tuple[float, ...]

    @property
    def width(self) -> int:
        """Numbers that it takes: one more bucket for what is above all bounds, and the sum."""
        return len(self.bounds) + 2


DISCONNECTED = Counter(
    "softlens_disconnected_total", "Requests whose client left before their body was whole."
)
SATURATED = Counter(
    "softlens_saturated_answers_total",
    "Answers in which one probability is exactly 1, of those whose entropy is counted.",
)
COUNTERS = (DISCONNECTED, SATURATED)

DURATION = Distribution(
    "http_server_request_duration_seconds",
    "From the arrival of a request to its answer, before that is sent.",
    SECONDS,
)
INFERENCE = Distribution(
    "softlens_inference_seconds", "What the model took of a request that it answered.", SECONDS
)
QUEUE = Distribution("softlens_queue_seconds", "What a request waited to be computed.", SECONDS)
ROWS = Distribution(
    "softlens_batch_rows",
    "Rows of a request that the model answered.",
    (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096),
)
ENTROPY = Distribution(
    "softlens_answer_entropy_nats",
    "Entropy of the probabilities of an answer: 0 where one class is certain.",
    (1e-6, 1e-4, 1e-3, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0),
)
DISTRIBUTIONS = (INFERENCE, QUEUE, ROWS, ENTROPY)


class Door(NamedTuple):
    """A route and a method that it is asked with."""

    route: str
    method: str


class Layout:
    """Where each number lies.

    Attributes:
        start: of each counter, reason, result and distribution.
        requests: where the group of each door and status begins; the statuses of a door follow one
            another, those of STATUS_CODES first.
    """

    def __init__(self, routes: Iterable[tuple[str, Iterable[str]]]) -> None:
        """Lay everything out.

        Args:
            routes: path, with its parameters in braces, and methods.

        Raises:
            ValueError: a slot has too little room.
        """
        self.start: dict[object, int] = {}
        place = GAUGES
        for single in (
            *COUNTERS,
            *_labels("reason", REASONS),
            *_labels("result", RESULTS),
            *_labels("cut", CUTS),
        ):
            self.start[single] = place
            place += 1
        for distribution in DISTRIBUTIONS:
            self.start[distribution] = place
            place += distribution.width

        doors = {Door(path, method) for path, methods in routes for method in methods}
        doors |= {Door(UNMATCHED, method) for method in METHODS}
        self.requests: dict[tuple[Door, str], int] = {}
        for door in sorted(doors):
            for code in (*map(str, STATUS_CODES), OTHER):
                self.requests[door, code] = place
                place += DURATION.width
        if place > NUMBERS:
            raise ValueError(f"{place} numbers are counted, a slot of the board has {NUMBERS}")

    def reason(self, reason: str) -> int:
        """Where requests are counted that were refused for it."""
        return self.start.get(("reason", reason), self.start["reason", OTHER])

    def request(self, route: str, method: str, status: int) -> int:
        """Where the group of a request begins, whoever chose its method."""
        if not route:
            route, method = UNMATCHED, method if method in METHODS else OTHER_METHOD
        code = str(status) if status in STATUS_CODES else OTHER
        return self.requests[Door(route, method), code]


def _labels(kind: str, values: Iterable[str]) -> list[tuple[str, str]]:
    return [(kind, value) for value in values]
