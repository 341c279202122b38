"""dp/dx of a batch in float32, with one thread each, and with as many as each library takes.

Run as a module, with a number of turns, it prints the times of the second kind as JSON: nothing may
have limited threads before, and JAX reads its limits once.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np

from model import ACTIVATIONS, Floats, Parameters, forward, initial_parameters
from model.gradients import input_jacobians
from tests.benchmarks import peers
from tests.benchmarks.contest import NEW, OURS, Part, at_least, at_most, contest, times
from tests.benchmarks.timing import Timing, Timings
from tests.serving import ROOT

ROWS, FEATURES, HIDDEN, CLASSES = 128, 784, 128, 10
PRODUCTS = "matrix products alone"
RELU = ACTIVATIONS["relu"]
REST = 0.1  # seconds, in which the threads of other pools stop waiting for work


def with_one_thread(repetitions: int) -> Part:
    """In this process, whose threads are limited already."""
    return _part(_timings(repetitions), repetitions, "one thread each")


def out_of_the_box(repetitions: int) -> Part:
    """In a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.input_jacobians", str(repetitions)]
    free = {name: value for name, value in os.environ.items() if name not in peers.LIMITS}
    answer = subprocess.run(
        command, cwd=ROOT, env=free, stdout=subprocess.PIPE, check=True, timeout=600
    )
    timings = {
        who: [Timing(*each) for each in found] for who, found in json.loads(answer.stdout).items()
    }
    return _part(timings, repetitions, "each library's own threads")


def network(dtype: type[np.floating]) -> tuple[Parameters, Floats]:
    """A network that is neither sure nor undecided, and rows for it."""
    rng = np.random.default_rng(0)
    drawn = initial_parameters((FEATURES, HIDDEN, CLASSES), RELU, rng)
    moved = drawn._replace(b1=0.1 * rng.normal(size=HIDDEN), W2=20 * drawn.W2)
    x = rng.random((ROWS, FEATURES)).astype(dtype)
    return Parameters(*(array.astype(dtype) for array in moved)), x


def _part(timings: Timings, repetitions: int, threads: str) -> Part:
    title = f"dp/dx, {ROWS} x {CLASSES} x {FEATURES}, float32, {threads}, {repetitions} turns"
    what = f"dp/dx, {threads}, time"
    return Part(
        times(title, timings, PRODUCTS),
        [
            *at_most(f"{what}, ours / matrix products", timings, PRODUCTS, 1.2),
            *at_least(f"{what}, torch / ours", timings, peers.TORCH, 1.5),
        ],
    )


def _timings(repetitions: int, rest: float = 0) -> Timings:
    parameters, x = network(np.float32)
    out = np.empty((ROWS, CLASSES, FEATURES), np.float32)
    ours: peers.Works = {
        OURS: lambda: input_jacobians(parameters, forward(parameters, x, RELU), RELU, out),
        NEW: lambda: input_jacobians(parameters, forward(parameters, x, RELU), RELU),
    }
    limit, others = _products(parameters, x, out), peers.input_jacobians(parameters, x)
    return contest(limit, PRODUCTS, ours, others, repetitions, rest)


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


if __name__ == "__main__":
    print(json.dumps(_timings(int(sys.argv[1]), REST)))
