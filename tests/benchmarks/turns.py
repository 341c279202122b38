"""Servers that take turns under load, each beside a limit that is measured in the same seconds."""

from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

from tests.benchmarks.contenders import Contender, serving
from tests.benchmarks.markdown import table
from tests.benchmarks.processes import Measurement, Question, Server, awake, measured, stop
from tests.benchmarks.timing import ratio, spread
from tests.benchmarks.workloads import Workload


class Turn(NamedTuple):
    """One measurement, and that of the limit beside it."""

    limit: Measurement
    own: Measurement


class Race(NamedTuple):
    """What was measured of everybody, by name."""

    turns: dict[str, list[Turn]]
    absent: dict[str, str]  # why
    sizes: dict[str, int]  # bytes of what was posted

    def cpu(self, name: str) -> list[float]:
        """Seconds for one request."""
        return [turn.own.cpu for turn in self.turns[name]]

    def times_limit(self, name: str) -> float:
        """CPU time of a request over the limit's."""
        return ratio(self.cpu(name), [turn.limit.cpu for turn in self.turns[name]])

    def share(self, name: str) -> float:
        """Throughput over the limit's."""
        turns = self.turns[name]
        return ratio([turn.own.rate for turn in turns], [turn.limit.rate for turn in turns])

    def best_of(self, names: Sequence[str]) -> str | None:
        """Who of these takes the least CPU time; None if none of them was there."""
        here = [name for name in names if name in self.turns]
        return min(here, key=lambda name: median(self.cpu(name)), default=None)


class Rules(NamedTuple):
    """How they are measured."""

    connections: int
    repetitions: int
    seconds: float = 1.0  # of load for one measurement; half of it of the limit, right before
    same_body: bool = True  # the limit gets the body of whom it stands beside


def race(asked: Workload, limit: Contender, contenders: Sequence[Contender], rules: Rules) -> Race:
    """Measure everybody in turn, `repetitions` times, after one turn that does not count."""
    with ExitStack() as stack:
        least = stack.enter_context(serving(limit, asked))
        stop(least)
        here: dict[str, tuple[Server, Question, Question]] = {}
        absent: dict[str, str] = {}
        for contender in contenders:
            question = contender.question(asked)
            beside = question._replace(path=limit.path)
            beside = beside if rules.same_body else limit.question(asked)
            try:
                server = stack.enter_context(serving(contender, asked))
            except (LookupError, RuntimeError) as error:
                absent[contender.name] = " ".join(str(error).split())[:160]
                continue
            stop(server)
            here[contender.name] = server, question, beside

        turns: dict[str, list[Turn]] = {name: [] for name in here}
        for _ in range(1 + rules.repetitions):
            for name, (server, question, beside) in here.items():
                with awake(least):
                    first = measured(least, beside, rules.connections, rules.seconds / 2)
                with awake(server):
                    second = measured(server, question, rules.connections, rules.seconds)
                turns[name].append(Turn(first, second))
    counted = {name: found[1:] for name, found in turns.items()}
    return Race(
        counted, absent, {name: len(question.body) for name, (_, question, _) in here.items()}
    )


def race_table(title: str, limit: str, found: Race) -> str:
    """The limit, everybody, and why somebody is not there."""
    header = (title, "CPU us a request", f"CPU / {limit}", "requests a second", "/ limit",
              "p50 ms", "p99 ms")  # fmt: skip
    beside = [turn.limit for turns in found.turns.values() for turn in turns]
    rows = [_row(limit, beside, "1.00", "1.00")]
    for name, turns in found.turns.items():
        own = [turn.own for turn in turns]
        rows.append(_row(name, own, f"{found.times_limit(name):.2f}", f"{found.share(name):.3f}"))
    blank = [""] * (len(header) - 2)
    rows += [(name, why, *blank) for name, why in found.absent.items()]
    return table(header, rows)


def _row(name: str, found: Sequence[Measurement], cpu: str, share: str) -> tuple[str, ...]:
    return (
        name,
        spread([one.cpu for one in found], scale=1e6, digits=1),
        cpu,
        spread([one.rate for one in found], digits=0),
        share,
        f"{1e3 * median(one.p50 for one in found):.2f}",
        f"{1e3 * median(one.p99 for one in found):.2f}",
    )
