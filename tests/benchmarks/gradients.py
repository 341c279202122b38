"""Whole Jacobians and attributions: ours, automatic differentiation, and the least there is to do.

The least is filling the answer's array, or the matrix products and nothing else. One thread.
"""

import tracemalloc
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from model import ACTIVATIONS, Floats, Parameters, forward, initial_parameters, softmax
from model.gradients import (
    Network,
    Path,
    Question,
    attribute,
    derivative,
    input_jacobians,
    point_of_logits,
    softmax_jacobians,
)
from tests.benchmarks import peers
from tests.benchmarks.machine import circumstances
from tests.benchmarks.markdown import Requirement, paragraphs, table, verdicts
from tests.benchmarks.timing import Contender, Timings, interleaved, ratio, spread, timed, wall

ROWS, FEATURES, HIDDEN, CLASSES, STEPS = 128, 784, 128, 10, 50
FILL, PRODUCTS = "filling the array", "matrix products alone"
OURS, NEW, OUTRIGHT = "softlens, `out`", "softlens, new array", "softlens"
MANY = 32_000
RELU = ACTIVATIONS["relu"]


class Part(NamedTuple):
    """A table, and what was asked of it."""

    text: str
    requirements: list[Requirement]


def run(quick: bool) -> str:
    with threadpool_limits(1):
        parts = [
            _softmax(3 if quick else 21),
            _inputs(3 if quick else 41),
            _attributions(3 if quick else 21, np.float64),
            _attributions(3 if quick else 21, np.float32),
            _product(),
        ]
    return paragraphs(
        circumstances("numpy"),
        peers.versions(),
        "One thread for all: OpenBLAS and torch were told so, and the pool of XLA has one. "
        "Milliseconds by the clock, median (lowest to highest); a ratio is the median of those "
        "within a turn.",
        *(part.text for part in parts),
        verdicts(need for part in parts for need in part.requirements),
    )


def _softmax(repetitions: int) -> Part:
    rng = np.random.default_rng(0)
    logits = 2 * rng.standard_normal((64, 1000), dtype=np.float32)
    out = np.empty((64, 1000, 1000), np.float32)
    ours: peers.Works = {
        OURS: lambda: softmax_jacobians(softmax(logits), out),
        NEW: lambda: softmax_jacobians(softmax(logits)),
    }

    timings = _timed(
        lambda: out.fill(0.5), FILL, ours, peers.softmax_jacobians(logits), repetitions
    )
    title = f"softmax Jacobian, 64 x 1000 x 1000, float32, {repetitions} turns"
    what = "softmax Jacobian, time"
    return Part(
        _table(title, timings, FILL),
        [
            *_at_most(f"{what}, ours / filling the array", timings, FILL, 3.5),
            *_at_least(f"{what}, torch / ours", timings, peers.TORCH, 10),
            *_at_least(f"{what}, jax / ours", timings, peers.JAX, 4),
        ],
    )


def _inputs(repetitions: int) -> Part:
    parameters, x = _network(np.float32)
    out = np.empty((ROWS, CLASSES, FEATURES), np.float32)
    ours: peers.Works = {
        OURS: lambda: input_jacobians(parameters, forward(parameters, x, RELU), RELU, out),
        NEW: lambda: input_jacobians(parameters, forward(parameters, x, RELU), RELU),
    }

    limit = _products(parameters, x, out)
    timings = _timed(limit, PRODUCTS, ours, peers.input_jacobians(parameters, x), repetitions)
    title = f"dp/dx, {ROWS} x {CLASSES} x {FEATURES}, float32, {repetitions} turns"
    return Part(
        _table(title, timings, PRODUCTS),
        [
            *_at_most("dp/dx, time, ours / matrix products", timings, PRODUCTS, 1.2),
            *_at_least("dp/dx, time, torch / ours", timings, peers.TORCH, 1.5),
        ],
    )


def _attributions(repetitions: int, dtype: type[np.floating]) -> Part:
    parameters, x = _network(dtype)
    target = np.random.default_rng(1).integers(CLASSES, size=ROWS)
    network = Network(parameters, RELU, np.zeros(FEATURES, dtype))
    path = Path(x, np.zeros(FEATURES, dtype), "probabilities", target, STEPS)
    ours: peers.Works = {OUTRIGHT: lambda: attribute(network, path, "integrated-gradients").values}

    def limit() -> None:  # to z1 and back from it
        x @ parameters.W1 @ parameters.W1.T

    others = peers.integrated_gradients(parameters, x, target, STEPS)
    timings = _timed(limit, "two matrix products", ours, others, repetitions)
    what = f"integrated gradients, {np.dtype(dtype)}"
    return Part(
        _table(f"{what}, {STEPS} steps, {ROWS} rows, {repetitions} turns", timings, OUTRIGHT),
        _at_least(f"{what}, time, captum / ours", timings, peers.CAPTUM, 25, OUTRIGHT),
    )


def _product() -> Part:
    """The memory of v^T J, against that of J."""
    logits = np.random.default_rng(0).normal(size=(1, MANY))
    point, v = point_of_logits(logits), np.ones_like(logits)
    tracemalloc.start()
    derivative(point, Question(mode="vjp"), v)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    times = peak / logits.nbytes
    return Part(
        f"A VJP of one row of {MANY:,} classes in float64 took {peak / 2**20:.2f} MiB at its peak, "
        f"{times:.1f} times the row; the matrix would take {logits.nbytes * MANY / 2**30:.1f} GiB.",
        [Requirement("memory of a VJP / its row", "at most 8", f"{times:.1f}", times <= 8)],
    )


def _network(dtype: type[np.floating]) -> tuple[Parameters, Floats]:
    """A network that is neither sure nor undecided, and rows for it."""
    rng = np.random.default_rng(0)
    drawn = initial_parameters((FEATURES, HIDDEN, CLASSES), RELU, rng)
    moved = drawn._replace(b1=0.1 * rng.normal(size=HIDDEN), W2=20 * drawn.W2)
    x = rng.random((ROWS, FEATURES)).astype(dtype)
    return Parameters(*(array.astype(dtype) for array in moved)), x


def _products(parameters: Parameters, x: Floats, out: Floats) -> Callable[[], object]:
    """The products that dp/dx needs, on buffers that are kept."""
    trace = forward(parameters, x, RELU)
    by_hidden = np.ones((ROWS * CLASSES, HIDDEN), x.dtype)
    z1, z2, mean = (np.empty_like(like) for like in (trace.z1, trace.z2, trace.z1))

    def products() -> None:
        np.matmul(x, parameters.W1, out=z1)
        np.matmul(trace.a1, parameters.W2, out=z2)
        np.matmul(trace.a2, parameters.W2.T, out=mean)
        np.matmul(by_hidden, parameters.W1.T, out=out.reshape(-1, FEATURES))

    return products


def _timed(
    limit: Callable[[], object], name: str, ours: peers.Works, others: peers.Works, repetitions: int
) -> Timings:
    """All that are here, interleaved; they must agree first. Nothing for those that are absent."""
    works = {who: work for who, work in (ours | others).items() if work}
    first, *rest = [np.array(work()) for work in works.values()]
    for answer in rest:
        # Not all: a relu whose z1 is 0 to rounding may be on in one and off in the other.
        assert np.quantile(np.abs(answer - first), 0.9) < 1e-5 * np.abs(first).max()

    contenders = {who: _contender(work) for who, work in ({name: limit} | works).items()}
    found = interleaved(contenders, repetitions)
    return {who: found.get(who, []) for who in (name, *ours, *others)}


def _contender(work: Callable[[], object]) -> Contender:
    return lambda: timed(work)


def _table(title: str, timings: Timings, limit: str) -> str:
    least = wall(timings[limit])
    rows = [
        (who, spread(wall(t), scale=1e3), f"{ratio(wall(t), least):.2f}")
        if t
        else (who, "not installed", "")
        for who, t in timings.items()
    ]
    return table((title, "ms", f"/ {limit.partition(',')[0]}"), rows)


def _at_most(what: str, timings: Timings, limit: str, most: float) -> list[Requirement]:
    found = ratio(wall(timings[OURS]), wall(timings[limit]))
    return [Requirement(what, f"at most {most}", f"{found:.2f}", found <= most)]


def _at_least(
    what: str, timings: Timings, peer: str, least: float, ours: str = OURS
) -> list[Requirement]:
    """Nothing where the peer is not installed."""
    if not timings[peer]:
        return []
    found = ratio(wall(timings[peer]), wall(timings[ours]))
    return [Requirement(what, f"at least {least}", f"{found:.2f}", found >= least)]
