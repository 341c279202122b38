"""What one prediction over HTTP costs the server, against a server that only says hello."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

from model import save_artifact
from tests.benchmarks.machine import circumstances
from tests.benchmarks.markdown import Requirement, paragraphs, table, verdicts
from tests.benchmarks.processes import (
    HELLO,
    SERVER,
    UNGUARDED,
    Running,
    body_of,
    cpu_seconds,
    running,
)
from tests.benchmarks.timing import ratio, spread
from tests.model.artifacts import make_artifact
from tests.serving import DEADLINE, ROOT, environment

CONNECTIONS = (1, 16)
SECONDS = 1.0  # of load for one measurement
LIMIT, OURS, LOGGED, BARE = "hello", "softlens", "with a log line each", "without guards"
MOST_FOR_GUARDS = 1.15  # of the CPU time without them


class Measurement(NamedTuple):
    """A second of load."""

    cpu: float  # seconds of the server for one request
    rate: float  # requests a second
    median: float  # seconds of latency
    p99: float


Case = tuple[str, int]  # server, connections


def run(quick: bool) -> str:
    repetitions = 2 if quick else 9
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "digits.npz"
        save_artifact(model, make_artifact(np.random.default_rng(0), shape=(64, 128, 10)))
        with (
            running(HELLO) as hello,
            running(SERVER, models=model) as ours,
            running(SERVER, models=model, request_log="all") as logged,
            running(UNGUARDED, models=model) as unguarded,
        ):
            servers = {LIMIT: hello, OURS: ours, LOGGED: logged, BARE: unguarded}
            found = _measure(servers, repetitions)

    return paragraphs(
        circumstances("uvicorn", "uvloop", "httptools", "fastapi", "pysimdjson", "orjson"),
        f"`POST /predict` of 1 x 64 numbers, {len(body_of(1, 64)):,} bytes, network 64-128-10, "
        f"one server process, keep-alive. Median (lowest to highest) of {repetitions} runs of "
        f"{SECONDS:.0f} s each.",
        table(
            (
                "server, connections",
                "CPU us a request",
                "CPU / hello",
                "requests a second",
                "median latency, us",
                "p99, us",
            ),
            [_row(case, found) for case in found],
        ),
        "Guards are the limits of connections and requests, hosts and keys, request ids and "
        "metrics. Without a log line each, there is none at all.",
        verdicts([_guards(found)]),
    )


def _guards(found: dict[Case, list[Measurement]]) -> Requirement:
    most = CONNECTIONS[-1]
    ours, bare = ([one.cpu for one in found[name, most]] for name in (OURS, BARE))
    cost = ratio(ours, bare)
    return Requirement(
        "CPU of a request, with guards / without",
        f"at most {MOST_FOR_GUARDS}",
        f"{cost:.2f}",
        cost <= MOST_FOR_GUARDS,
    )


def _measure(servers: dict[str, Running], repetitions: int) -> dict[Case, list[Measurement]]:
    """The servers take turns; a first turn of each does not count."""
    found: dict[Case, list[Measurement]] = {
        (name, connections): [] for connections in CONNECTIONS for name in servers
    }
    for _ in range(1 + repetitions):
        for (name, connections), measurements in found.items():
            measurements.append(_measurement(servers[name], connections))
    return {case: measurements[1:] for case, measurements in found.items()}


def _measurement(server: Running, connections: int) -> Measurement:
    load = ("-m", "tests.benchmarks.load", str(server.port), str(connections), str(SECONDS))
    before = cpu_seconds(server.pid)
    answer = subprocess.run(
        [sys.executable, *load],
        cwd=ROOT,
        env=environment(),
        input=body_of(1, 64),
        stdout=subprocess.PIPE,
        timeout=DEADLINE,
        check=True,
    ).stdout
    used = cpu_seconds(server.pid) - before

    seen = json.loads(answer)
    requests = seen["requests"]
    return Measurement(used / requests, requests / seen["seconds"], seen["median"], seen["p99"])


def _row(case: Case, found: dict[Case, list[Measurement]]) -> tuple[str, ...]:
    name, connections = case
    ours, limit = found[case], found[LIMIT, connections]
    return (
        f"{name}, {connections}",
        spread([one.cpu for one in ours], scale=1e6, digits=1),
        f"{ratio([one.cpu for one in ours], [one.cpu for one in limit]):.2f}",
        spread([one.rate for one in ours], digits=0),
        f"{1e6 * median(one.median for one in ours):.0f}",
        f"{1e6 * median(one.p99 for one in ours):.0f}",
    )
