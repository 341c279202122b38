"""From nothing to an answer, and the memory that answering takes."""

import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np

from model import save_artifact
from tests.benchmarks.machine import circumstances
from tests.benchmarks.markdown import Requirement, paragraphs, table, verdicts
from tests.benchmarks.processes import (
    HELLO,
    SERVER,
    SOFTLENS,
    body_of,
    connected,
    finished,
    first_answer,
    predict,
    resident_mib,
    running,
)
from tests.benchmarks.timing import Timings, cpu, interleaved, ratio, spread, wall
from tests.model.artifacts import make_artifact

FEATURES = {"64-128-10": 64, "784-128-10": 784}

BARE, HELP = "`python -c pass`", "`softlens --help`"
HELLO_SERVER, OUR_SERVER, DEMO = "uvicorn, hello", "`python -m app.server`", "`softlens demo`"


def run(quick: bool) -> str:
    repetitions = 2 if quick else 9
    with tempfile.TemporaryDirectory() as folder:
        models = {name: Path(folder) / f"{name}.npz" for name in FEATURES}
        for name, path in models.items():
            shape = (FEATURES[name], 128, 10)
            save_artifact(path, make_artifact(np.random.default_rng(0), shape=shape))
        timings = _timings(models["64-128-10"], repetitions)
        memory = {name: _memory(path, FEATURES[name]) for name, path in models.items()}

    return paragraphs(
        circumstances("numpy", "fastapi", "uvicorn", "typer"),
        f"Times are the median (lowest to highest) of {repetitions} starts each, after one that "
        "does not count. A server's time ends with its first answer to `POST /predict`, one row.",
        _times_table(timings),
        "Resident memory of the server in MiB, for two networks with random weights.",
        _memory_table(memory),
        verdicts(_requirements(timings, memory)),
    )


def _timings(model: Path, repetitions: int) -> Timings:
    body = body_of(1, 64)
    contenders = {
        BARE: lambda: finished((sys.executable, "-c", "pass")),
        HELP: lambda: finished((*SOFTLENS, "--help")),
        HELLO_SERVER: lambda: first_answer(HELLO, body),
        OUR_SERVER: lambda: first_answer(SERVER, body, models=model),
        DEMO: lambda: first_answer((*SOFTLENS, "demo"), body),
    }
    return interleaved(contenders, repetitions)


def _memory(model: Path, features: int) -> list[float]:
    """MiB at the first answer, after 1,000 predictions of 1 row, after 20 more of 128 rows."""
    one, many = body_of(1, features), body_of(128, features)
    found = []
    with running(SERVER, models=model) as server, connected(server) as connection:
        for body, times in ((one, 1), (one, 999), (many, 20)):
            for _ in range(times):
                predict(connection, body)
            found.append(resident_mib(server.pid))
    return found


def _times_table(timings: Timings) -> str:
    limits = {HELP: BARE, OUR_SERVER: HELLO_SERVER, DEMO: HELLO_SERVER}
    rows = []
    for name, found in timings.items():
        times = ""
        if name in limits:
            times = f"{ratio(wall(found), wall(timings[limits[name]])):.1f}"
        rows.append((name, spread(wall(found)), spread(cpu(found)), times))
    return table(("", "wall s", "CPU s", "wall / limit"), rows)


def _memory_table(memory: dict[str, list[float]]) -> str:
    header = ("network", "first answer", "after 1,000 of 1 row", "after 20 of 128 rows")
    return table(
        header, [(name, *(f"{mib:.1f}" for mib in found)) for name, found in memory.items()]
    )


def _requirements(timings: Timings, memory: dict[str, list[float]]) -> list[Requirement]:
    seconds = {name: median(wall(found)) for name, found in timings.items()}
    wanted = {OUR_SERVER: 0.9, HELP: 0.2, DEMO: 5.0}
    largest = max(max(found) for found in memory.values())
    return [
        *(
            Requirement(
                f"wall time of {name}",
                f"at most {most:.1f} s",
                f"{seconds[name]:.2f} s",
                seconds[name] <= most,
            )
            for name, most in wanted.items()
        ),
        Requirement("memory, the largest", "at most 80 MiB", f"{largest:.1f} MiB", largest <= 80),
    ]
