"""How cost grows with rows, features, classes and hidden units of a request, and rows to train on.

A server for each size, with random weights, at one connection; limits that would refuse the larger
sizes are raised.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import orjson

from model import save_artifact
from tests.benchmarks import growth_training
from tests.benchmarks.family import resident_mib
from tests.benchmarks.machine import circumstances
from tests.benchmarks.markdown import Report, paragraphs, table
from tests.benchmarks.plots import Labels, Point, drawn
from tests.benchmarks.processes import (
    Question,
    free_ports,
    measured,
    running,
)
from tests.model.artifacts import make_artifact
from tests.serving import environment

LIMITS = {"max_rows": 10_000, "max_cells": 10_000_000, "max_body_bytes": 64 * 2**20}
SECONDS = 0.5  # of load for one size


class Size(NamedTuple):
    """One request and one network."""

    rows: int = 1
    features: int = 64
    hidden: int = 128
    classes: int = 10


class Growth(NamedTuple):
    """A picture: which size grows, and how it is named."""

    name: str
    what: str
    sizes: Sequence[int]
    of: Callable[[int], Size]


GROWTHS = (
    Growth(
        "rows",
        "rows in a request, of 64 features",
        (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000),
        lambda n: Size(rows=n),
    ),
    Growth(
        "features",
        "features of one row",
        (4, 10, 30, 100, 300, 1_000, 3_000, 10_000),
        lambda n: Size(features=n),
    ),
    Growth(
        "classes",
        "classes of one row",
        (2, 10, 30, 100, 300, 1_000, 3_000, 10_000, 32_000),
        lambda n: Size(classes=n),
    ),
    Growth(
        "hidden",
        "hidden units, of one row",
        (8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096),
        lambda n: Size(hidden=n),
    ),
)


def run(quick: bool) -> Report:
    found = {one: _measured(one, 1 if quick else 5, quick=quick) for one in GROWTHS}
    pictures = {
        f"growth-{one.name}.svg": drawn(points, Labels(one.what, "server CPU for a request"))
        for one, points in found.items()
    }
    parts = [part for one, points in found.items() for part in _shown(one.name, one.what, points)]
    trained = growth_training.measured(quick)
    training = [Point(one.rows, one.seconds, one.resident_mib) for one in trained]
    pictures["growth-training.svg"] = drawn(training, Labels("rows to train on", "an epoch"))
    limits = ", ".join(f"`SOFTLENS_{name.upper()}={most}`" for name, most in LIMITS.items())
    text = paragraphs(
        circumstances("numpy", "matplotlib"),
        "Where nothing else is said: one row of 64 features, 128 hidden units, 10 classes, random "
        "weights; JSON to `POST /predict` on one connection, one server process on one core for "
        f"each size. Limits are raised so that the largest sizes pass: {limits}. The dashed line "
        "is what cost would be if it were in proportion.",
        *parts,
        _picture("training", "rows to train on"),
        growth_training.described(trained),
    )
    return Report(text, pictures)


def _shown(name: str, what: str, points: Sequence[Point]) -> list[str]:
    """The picture, and its figures for those who cannot see it."""
    time = ("time", *(_duration(point.seconds) for point in points))
    memory = ("resident MiB", *(f"{point.mib:,.0f}" for point in points))
    return [
        _picture(name, what),
        table((what, *(f"{point.x:,.0f}" for point in points)), [time, memory]),
    ]


def _picture(name: str, what: str) -> str:
    return f"![Time and memory over {what}: both axes logarithmic](images/growth-{name}.svg)"


def _duration(seconds: float) -> str:
    if seconds < 0.01:
        return f"{1e6 * seconds:,.0f} us"
    return f"{1e3 * seconds:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"


def _measured(growth: Growth, repetitions: int, *, quick: bool) -> list[Point]:
    sizes = growth.sizes[:: len(growth.sizes) - 1] if quick else growth.sizes
    return [Point(n, *_cost(growth.of(n), repetitions)) for n in sizes]


def _cost(size: Size, repetitions: int) -> tuple[float, float]:
    """CPU seconds of a request, and MiB of the server after some."""
    rng = np.random.default_rng(0)
    inputs = rng.random((size.rows, size.features)).round(4)
    question = Question(
        "/predict", orjson.dumps({"inputs": inputs}, option=orjson.OPT_SERIALIZE_NUMPY)
    )
    shape = size.features, size.hidden, size.classes
    with tempfile.TemporaryDirectory() as folder:
        model, (port,) = Path(folder) / "m.npz", free_ports(1)
        save_artifact(model, make_artifact(rng, shape=shape))
        variables = environment(models=model, port=port, **LIMITS)
        with running((sys.executable, "-m", "app.server"), port, question, **variables) as server:
            costs = [measured(server, question, 1, SECONDS).cpu for _ in range(1 + repetitions)]
            return median(costs[1:]), resident_mib(server.pid)
