"""From nothing to an answer, and the memory that answering takes."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.benchmarks.contenders import (
    FASTAPI,
    FORWARD,
    LIMIT,
    OURS,
    SOFTLENS,
    Contender,
    in_json,
    serving,
)
from tests.benchmarks.family import cpu_seconds, resident_mib
from tests.benchmarks.machine import circumstances
from tests.benchmarks.markdown import Requirement, paragraphs, table, verdicts
from tests.benchmarks.processes import SOFTLENS as COMMAND
from tests.benchmarks.processes import (
    Question,
    finished,
    free_ports,
    measured,
    running,
)
from tests.benchmarks.rivals import PEERS
from tests.benchmarks.timing import Timing, Timings, cpu, interleaved, ratio, spread, wall
from tests.benchmarks.workloads import BATCH, Workload, large, small
from tests.serving import environment

CONNECTIONS, SECONDS = 64, 1.0  # of the load after which memory is looked at
BARE, HELP, DEMO = "`python -c pass`", "`softlens --help`", "`softlens demo`"


class Start(NamedTuple):
    """One start of a server, and what it held afterwards."""

    wall: float  # seconds to the first answer
    cpu: float
    started: float  # MiB at the first answer
    loaded: float  # MiB after batches on many connections


class Starts(NamedTuple):
    """Of every server by name."""

    found: dict[str, list[Start]]
    absent: dict[str, str]  # why


def run(quick: bool) -> str:
    repetitions = 2 if quick else 7
    with tempfile.TemporaryDirectory() as folder:
        commands = _commands(Path(folder), repetitions)
        net = large(Path(folder))
        one, many = (Workload(f"{rows}", "", net, rows) for rows in (1, BATCH))
        servers = _servers(one, many, repetitions)

    return paragraphs(
        circumstances("numpy", "fastapi", "uvicorn", "typer"),
        f"Times are the median (lowest to highest) of {repetitions} starts each, after one that "
        "does not count. They end with the first answer to a prediction of one row.",
        _commands_table(commands),
        f"Servers of the network {net.name} on one core; files are in the page cache and compiled. "
        f"Resident memory of all processes in MiB, at the first answer, and after {SECONDS:.0f} s "
        f"of {BATCH} x {net.features} in JSON on {CONNECTIONS} connections.",
        _servers_table(servers),
        verdicts(_requirements(commands, servers)),
    )


def _commands(folder: Path, repetitions: int) -> Timings:
    digits = Workload("digit", "", small(folder), 1)
    contenders: dict[str, Callable[[], Timing]] = {
        BARE: lambda: finished((sys.executable, "-c", "pass")),
        HELP: lambda: finished((*COMMAND, "--help")),
        DEMO: lambda: _demo(digits),
    }
    return interleaved(contenders, repetitions)


def _demo(digits: Workload) -> Timing:
    (port,) = free_ports(1)
    question = Question("/predict", in_json(inputs=digits.inputs).content)
    variables = environment(port=port)
    with running((*COMMAND, "demo"), port, question, **variables) as server:
        return Timing(server.seconds, cpu_seconds(server.pid))


def _servers(one: Workload, many: Workload, repetitions: int) -> Starts:
    """They take turns; a first start does not count."""
    contenders = (LIMIT, FORWARD, SOFTLENS, FASTAPI, *PEERS)
    found: dict[str, list[Start]] = {}
    absent: dict[str, str] = {}
    for _ in range(1 + repetitions):
        for contender in contenders:
            if contender.name in absent:
                continue
            try:
                found.setdefault(contender.name, []).append(_start(contender, one, many))
            except (LookupError, RuntimeError, subprocess.SubprocessError) as error:
                absent[contender.name] = " ".join(str(error).split())[:160]
                found.pop(contender.name, None)
    return Starts({name: starts[1:] for name, starts in found.items()}, absent)


def _start(contender: Contender, one: Workload, many: Workload) -> Start:
    with serving(contender, one) as server:
        used, started = cpu_seconds(server.pid), resident_mib(server.pid)
        measured(server, contender.question(many), CONNECTIONS, SECONDS)
        return Start(server.seconds, used, started, resident_mib(server.pid))


def _commands_table(timings: Timings) -> str:
    least = wall(timings[BARE])
    rows = [
        (name, spread(wall(found)), spread(cpu(found)), f"{ratio(wall(found), least):.1f}")
        for name, found in timings.items()
    ]
    return table(("", "wall s", "CPU s", f"wall / {BARE}"), rows)


def _servers_table(servers: Starts) -> str:
    rows = [
        (
            name,
            spread([one.wall for one in starts]),
            spread([one.cpu for one in starts]),
            spread([one.started for one in starts], digits=1),
            spread([one.loaded for one in starts], digits=1),
        )
        for name, starts in servers.found.items()
    ]
    rows += [(name, why, "", "", "") for name, why in servers.absent.items()]
    return table(("server", "wall s", "CPU s", "MiB at first", "MiB after load"), rows)


def _requirements(commands: Timings, servers: Starts) -> list[Requirement]:
    ours = servers.found[OURS]
    figures = (
        (f"wall time of {HELP}", median(wall(commands[HELP])), 0.2, "s"),
        (f"wall time of {DEMO}", median(wall(commands[DEMO])), 5.0, "s"),
        ("start of a server to its first answer", median(one.wall for one in ours), 0.8, "s"),
        ("memory at the first answer", median(one.started for one in ours), 75, "MiB"),
        ("memory after load", median(one.loaded for one in ours), 115, "MiB"),
    )
    return [
        Requirement(what, f"at most {most} {unit}", f"{found:.2f} {unit}", found <= most)
        for what, found, most, unit in figures
    ]
