"""Epochs of four networks: ours, other programs', and their matrix products alone.

Not counted: reading, standardising, evaluating, compiling. Only of the digits, which are the
smallest, a whole fit is timed. Everybody shuffles the rows, takes batches of the same size, and
steps with Adam in float32, without regularisation.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from model.data import Dataset, load_digits, read_dataset
from model.training import Epoch, Plan, fit
from model.training import compiled as passes
from model.training.fitting import _prepare, _start
from model.training.loop import Rows, train
from model.training.preprocessing import fit_standardisation, standardise
from tests.benchmarks import mnist, peers, training_peers
from tests.benchmarks.machine import circumstances
from tests.benchmarks.markdown import Requirement, paragraphs, table, verdicts
from tests.benchmarks.timing import (
    Contender,
    Timing,
    Timings,
    cpu,
    interleaved,
    ratio,
    spread,
    wall,
)

OURS, COMPILED, TWO = "softlens", "softlens, compiled", "softlens, 2 threads"
PEER, LIMIT = "scikit-learn", "matrix products alone"
DIGITS_EPOCHS = 40


class Task(NamedTuple):
    """A network to train, and what is wanted of an epoch."""

    title: str
    hidden: int
    batch: int
    most: float  # CPU time, ours / matrix products alone
    compiled: float | None  # the same with the extra `fast`
    two_threads: float | None  # how much faster by the clock two threads must be


MNIST_128 = Task("MNIST, 784-128-10, batches of 128", 128, 128, 1.45, 1.25, 1.1)
MNIST_800 = Task("MNIST, 784-800-10, batches of 256", 800, 256, 1.24, 1.11, 1.5)
TABLE = Task("a table of 10^6 rows, 28-300-2, batches of 1024", 300, 1024, 1.7, None, None)


class Part(NamedTuple):
    """A table, and what was asked of it."""

    text: str
    requirements: list[Requirement]


def run(quick: bool) -> str:
    peers.limit_threads()
    with threadpool_limits(1):
        parts = list(_parts(quick))
    return paragraphs(
        circumstances("numpy", "scikit-learn"),
        peers.versions(),
        "Median (lowest to highest) of the turns; a ratio is the median of those within a turn. "
        "One thread for all, but where two are named: theirs is a ratio by the clock.",
        *(part.text for part in parts),
        verdicts(need for part in parts for need in part.requirements),
    )


def _parts(quick: bool) -> Iterator[Part]:
    if mnist.is_here():
        data = read_dataset(mnist.TRAINING)
        yield epochs(MNIST_128, data, 2 if quick else 9)
        yield epochs(MNIST_800, data, 2 if quick else 5)
    else:
        yield Part(mnist.ABSENT, [])
    yield whole_fits(2 if quick else 9)
    yield epochs(TABLE, made_table(10**6), 2 if quick else 5)


def made_table(rows: int) -> Dataset:
    """28 float32 features and two classes that no straight line parts, with noise."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, 28), dtype=np.float32)
    into = rng.standard_normal((28, 16), dtype=np.float32) / np.float32(np.sqrt(28))
    out = rng.standard_normal(16, dtype=np.float32)
    score = np.tanh(1.5 * x @ into) @ out + rng.standard_normal(rows, dtype=np.float32) / 2
    labels = (score > 0).astype(np.int64)
    return Dataset(x, labels, (0, 1), None, np.arange(28), "made")


def epochs(task: Task, data: Dataset, repetitions: int) -> Part:
    """Epochs of one task by everybody in turn."""
    rows = Rows(standardise(data.inputs, fit_standardisation(data.inputs, data.kinds)), data.labels)
    shape = rows.inputs.shape[1], task.hidden, len(data.classes)
    ours = partial(_ours, data, task, 1 + repetitions)
    contenders = {
        LIMIT: _products(len(data.labels), shape, task.batch),
        OURS: ours(threads=1, compiled=False),
        COMPILED: ours(threads=1, compiled=True),
    }
    if task.two_threads:
        contenders[TWO] = ours(threads=2, compiled=False)
    contenders[PEER] = _scikit_learn(rows, task, shape[2])
    for name, work in training_peers.epochs(rows, shape, task.batch).items():
        contenders[name] = _timed(work)

    timings = interleaved(contenders, repetitions)
    needs = []
    for name, most in ((OURS, task.most), (COMPILED, task.compiled)):
        if most:
            found = ratio(cpu(timings[name]), cpu(timings[LIMIT]))
            what = f"{task.title}: CPU time, {name} / matrix products"
            needs.append(Requirement(what, f"at most {most}", f"{found:.2f}", found <= most))
    for peer in [name for name in contenders if name not in (LIMIT, OURS, COMPILED, TWO)]:
        times = ratio(cpu(timings[peer]), cpu(timings[OURS]))
        what = f"{task.title}: CPU time, {peer} / ours"
        needs.append(Requirement(what, "above 1", f"{times:.2f}", times > 1))
    if task.two_threads:
        times = ratio(wall(timings[OURS]), wall(timings[TWO]))
        wanted, met = f"at least {task.two_threads}", times >= task.two_threads
        what = f"{task.title}: by the clock, one thread / two"
        needs.append(Requirement(what, wanted, f"{times:.2f}", met))
    return Part(_table(f"{task.title}; {repetitions} epochs", timings), needs)


def whole_fits(repetitions: int) -> Part:
    """From the digits to a trained network: ours with its checks, validation and calibration."""
    digits = load_digits()
    scaling = fit_standardisation(digits.inputs, digits.kinds)
    rows = Rows(standardise(digits.inputs, scaling), digits.labels)
    plan = _plan(hidden=32, batch_size=32, epochs=DIGITS_EPOCHS, validation=0.1, patience=1000)

    def peer() -> None:
        with warnings.catch_warnings():  # that 40 epochs were not enough for it
            warnings.simplefilter("ignore")
            _classifier(32, 32, max_iter=DIGITS_EPOCHS, n_iter_no_change=1000).fit(*rows)

    works: training_peers.Works = {OURS: lambda: fit(digits, plan, "digits"), PEER: peer}
    works |= training_peers.fits(rows, (64, 32, 10), 32, DIGITS_EPOCHS)
    timings = interleaved({name: _timed(work) for name, work in works.items()}, repetitions)
    title = f"digits, 64-32-10, batches of 32, a whole fit of {DIGITS_EPOCHS} epochs"
    needs = []
    for name in [name for name in works if name != OURS]:
        times = ratio(cpu(timings[name]), cpu(timings[OURS]))
        what = f"digits, a whole fit: CPU time, {name} / ours"
        needs.append(Requirement(what, "at least 6", f"{times:.1f}", times >= 6))
    return Part(_table(f"{title}; {repetitions} fits", timings, OURS), needs)


def _table(title: str, timings: Timings, limit: str = LIMIT) -> str:
    least = timings[limit]
    return table(
        (title, "CPU s", "wall s", f"CPU / {limit}", f"wall / {limit}"),
        [
            (
                name,
                spread(cpu(found), digits=3),
                spread(wall(found), digits=3),
                f"{ratio(cpu(found), cpu(least)):.2f}",
                f"{ratio(wall(found), wall(least)):.2f}",
            )
            for name, found in timings.items()
        ],
    )


def _timed(work: Callable[[], object]) -> Contender:
    """By the clock, and in the CPU time of all threads: those of peers are not ours to know."""

    def contender() -> Timing:
        by_clock, used = time.perf_counter(), time.process_time()
        work()
        return Timing(time.perf_counter() - by_clock, time.process_time() - used)

    return contender


def _plan(**choices: object) -> Plan:
    """Without regularisation, as the others."""
    return Plan(weight_decay=0, label_smoothing=0, **choices)  # type: ignore[arg-type]  # Plan checks


def _ours(data: Dataset, task: Task, number: int, threads: int, *, compiled: bool) -> Contender:
    """Epochs as NumPy makes them all the time; or compiled, from the second step on."""
    plan = _plan(
        hidden=task.hidden, batch_size=task.batch, epochs=number, validation=0, threads=threads
    )
    worth = 1 if compiled else 0  # entries without it; 0 is never
    passes._WORTH_COMPILING = worth
    prepared = _prepare(data, plan)
    learner = _start(prepared, len(data.classes))
    running: Iterator[Epoch] = train(learner, prepared.training, prepared.held_out, prepared.rng)

    def epoch() -> None:
        passes._WORTH_COMPILING = worth  # asked for when the first epoch begins
        next(running)

    return _timed(epoch)


def _scikit_learn(rows: Rows, task: Task, number: int) -> Contender:
    peer, classes = _classifier(task.hidden, task.batch), np.arange(number)
    return _timed(lambda: peer.partial_fit(*rows, classes=classes))


def _classifier(hidden: int, batch: int, **more: int) -> MLPClassifier:
    return MLPClassifier(
        (hidden,), solver="adam", batch_size=batch, alpha=0, tol=0, random_state=0, **more
    )


def _products(rows: int, shape: tuple[int, int, int], batch: int) -> Contender:
    """The five products of every batch, on buffers that stay in the cache."""
    rng = np.random.default_rng(0)
    features, hidden, classes = shape
    shapes = {"x": (batch, features), "W1": (features, hidden), "a1": (batch, hidden)}
    shapes |= {"W2": (hidden, classes), "delta3": (batch, classes), "delta2": (batch, hidden)}
    x, W1, a1, W2, delta3, delta2 = (
        rng.standard_normal(shape, dtype=np.float32) for shape in shapes.values()
    )
    z1, z2, dW1, dW2 = (np.empty_like(like) for like in (a1, delta3, W1, W2))

    def epoch() -> None:
        for start in range(0, rows, batch):
            n = min(batch, rows - start)
            np.matmul(x[:n], W1, out=z1[:n])
            np.matmul(a1[:n], W2, out=z2[:n])
            np.matmul(a1[:n].T, delta3[:n], out=dW2)
            np.matmul(delta3[:n], W2.T, out=delta2[:n])
            np.matmul(x[:n].T, delta2[:n], out=dW1)

    return _timed(epoch)
