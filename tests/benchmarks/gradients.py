"""Whole Jacobians and attributions: ours, automatic differentiation, and the least there is to do.

The least is filling the answer's array, or the matrix products and nothing else. One thread each,
and for dp/dx as many as each library takes when nobody tells it, too.
"""

import tracemalloc

import numpy as np
from threadpoolctl import threadpool_limits

from model import softmax
from model.gradients import (
    Network,
    Path,
    Question,
    attribute,
    derivative,
    point_of_logits,
    softmax_jacobians,
)
from tests.benchmarks import peers
from tests.benchmarks.contest import NEW, OURS, Part, at_least, at_most, contest, times
from tests.benchmarks.input_jacobians import (
    CLASSES,
    FEATURES,
    RELU,
    REST,
    ROWS,
    network,
    out_of_the_box,
    with_one_thread,
)
from tests.benchmarks.machine import circumstances
from tests.benchmarks.markdown import Requirement, paragraphs, verdicts

STEPS, MANY = 50, 32_000
FILL, OUTRIGHT = "filling the array", "softlens"


def run(quick: bool) -> str:
    peers.limit_threads()
    with threadpool_limits(1):
        parts = [
            _softmax(3 if quick else 21),
            with_one_thread(3 if quick else 41),
            out_of_the_box(3 if quick else 41),
            _attributions(3 if quick else 21, np.float64),
            _attributions(3 if quick else 21, np.float32),
            _product(),
        ]
    return paragraphs(
        circumstances("numpy"),
        peers.versions(),
        "One thread each, but for the second table of dp/dx: OpenBLAS and torch were told so, and "
        "the pool of XLA has one. In that table each takes the threads it takes when nobody tells "
        f"it; before its turn it rests for {REST} s and runs once. Milliseconds by the clock, "
        "median (lowest to highest); a ratio is the median of those within a turn.",
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

    timings = contest(
        lambda: out.fill(0.5), FILL, ours, peers.softmax_jacobians(logits), repetitions
    )
    title = f"softmax Jacobian, 64 x 1000 x 1000, float32, {repetitions} turns"
    what = "softmax Jacobian, time"
    return Part(
        times(title, timings, FILL),
        [
            *at_most(f"{what}, ours / filling the array", timings, FILL, 3.5),
            *at_least(f"{what}, torch / ours", timings, peers.TORCH, 10),
            *at_least(f"{what}, jax / ours", timings, peers.JAX, 4),
        ],
    )


def _attributions(repetitions: int, dtype: type[np.floating]) -> Part:
    parameters, x = network(dtype)
    target = np.random.default_rng(1).integers(CLASSES, size=ROWS)
    served = Network(parameters, RELU, np.zeros(FEATURES, dtype))
    path = Path(x, np.zeros(FEATURES, dtype), "probabilities", target, STEPS)
    ours: peers.Works = {OUTRIGHT: lambda: attribute(served, path, "integrated-gradients").values}

    def limit() -> None:  # to z1 and back from it
        x @ parameters.W1 @ parameters.W1.T

    others = peers.integrated_gradients(parameters, x, target, STEPS)
    timings = contest(limit, "two matrix products", ours, others, repetitions)
    what = f"integrated gradients, {np.dtype(dtype)}"
    return Part(
        times(f"{what}, {STEPS} steps, {ROWS} rows, {repetitions} turns", timings, OUTRIGHT),
        at_least(f"{what}, time, captum / ours", timings, peers.CAPTUM, 25, OUTRIGHT),
    )


def _product() -> Part:
    """The memory of v^T J, against that of J."""
    logits = np.random.default_rng(0).normal(size=(1, MANY))
    point, v = point_of_logits(logits), np.ones_like(logits)
    tracemalloc.start()
    derivative(point, Question(mode="vjp"), v)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    rows = peak / logits.nbytes
    return Part(
        f"A VJP of one row of {MANY:,} classes in float64 took {peak / 2**20:.2f} MiB at its peak, "
        f"{rows:.1f} times the row; the matrix would take {logits.nbytes * MANY / 2**30:.1f} GiB.",
        [Requirement("memory of a VJP / its row", "at most 8", f"{rows:.1f}", rows <= 8)],
    )
