"""One epoch of MNIST 784-128-10: ours, scikit-learn's, and its matrix products alone.

Not counted: reading, standardising, evaluating. Both peers shuffle, take batches of 128 rows, and
step with Adam; each keeps its own default regularisation.
"""

from collections.abc import Iterator

import numpy as np
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from model import ACTIVATIONS, initial_parameters
from model.data import read_dataset
from model.training import Epoch, Plan
from model.training.loop import Learner, Rows, train
from model.training.preprocessing import fit_standardisation, standardise
from tests.benchmarks import mnist
from tests.benchmarks.machine import circumstances
from tests.benchmarks.markdown import Requirement, paragraphs, table, verdicts
from tests.benchmarks.timing import Contender, Timings, cpu, interleaved, ratio, spread, timed, wall

HIDDEN, CLASSES, BATCH = 128, 10, 128
OURS, PEER, LIMIT = "softlens", "scikit-learn", "matrix products alone"


def run(quick: bool) -> str:
    if not mnist.is_here():
        return mnist.ABSENT
    rows = _standardised()
    repetitions = 2 if quick else 9
    contenders = {
        LIMIT: _products(len(rows.labels), rows.inputs.shape[1]),
        OURS: _ours(rows, epochs=1 + repetitions),
        PEER: _scikit_learn(rows),
    }
    with threadpool_limits(1):
        timings = interleaved(contenders, repetitions)

    against = ratio(cpu(timings[OURS]), cpu(timings[PEER]))
    return paragraphs(
        circumstances("numpy", "scikit-learn"),
        f"60,000 rows of 784 features, 128 hidden units, 10 classes, batches of {BATCH}, Adam, "
        f"float32, one BLAS thread. Median (lowest to highest) of {repetitions} epochs each.",
        _table(timings),
        verdicts(
            [
                Requirement(
                    "CPU time of an epoch, ours / scikit-learn's",
                    "at most 1.00",
                    f"{against:.2f}",
                    against <= 1,
                )
            ]
        ),
    )


def _table(timings: Timings) -> str:
    limit = cpu(timings[LIMIT])
    return table(
        ("", "CPU s", "wall s", "CPU / limit"),
        [
            (
                name,
                spread(cpu(found), digits=3),
                spread(wall(found), digits=3),
                f"{ratio(cpu(found), limit):.2f}",
            )
            for name, found in timings.items()
        ],
    )


def _standardised() -> Rows:
    data = read_dataset(mnist.TRAINING)
    return Rows(standardise(data.inputs, fit_standardisation(data.inputs, data.kinds)), data.labels)


def _ours(rows: Rows, epochs: int) -> Contender:
    plan = Plan(hidden=HIDDEN, batch_size=BATCH, epochs=epochs, validation=0)
    activation, rng = ACTIVATIONS[plan.activation], np.random.default_rng(plan.seed)
    shape = (rows.inputs.shape[1], HIDDEN, CLASSES)
    learner = Learner(initial_parameters(shape, activation, rng), activation, plan)
    nothing = Rows(rows.inputs[:0], rows.labels[:0])

    running: Iterator[Epoch] = train(learner, rows, nothing, rng)
    return lambda: timed(lambda: next(running))


def _scikit_learn(rows: Rows) -> Contender:
    peer = MLPClassifier((HIDDEN,), solver="adam", batch_size=BATCH, random_state=0)
    classes = np.arange(CLASSES)
    return lambda: timed(lambda: peer.partial_fit(rows.inputs, rows.labels, classes=classes))


def _products(rows: int, features: int) -> Contender:
    """The five products of every batch, on buffers that stay in the cache."""
    rng = np.random.default_rng(0)
    shapes = {"x": (BATCH, features), "W1": (features, HIDDEN), "a1": (BATCH, HIDDEN)}
    shapes |= {"W2": (HIDDEN, CLASSES), "delta3": (BATCH, CLASSES), "delta2": (BATCH, HIDDEN)}
    x, W1, a1, W2, delta3, delta2 = (
        rng.standard_normal(shape, dtype=np.float32) for shape in shapes.values()
    )
    z1, z2, dW1, dW2 = (np.empty_like(like) for like in (a1, delta3, W1, W2))

    def epoch() -> None:
        for start in range(0, rows, BATCH):
            n = min(BATCH, rows - start)
            np.matmul(x[:n], W1, out=z1[:n])
            np.matmul(a1[:n], W2, out=z2[:n])
            np.matmul(a1[:n].T, delta3[:n], out=dW2)
            np.matmul(delta3[:n], W2.T, out=delta2[:n])
            np.matmul(x[:n].T, delta2[:n], out=dW1)

    return lambda: timed(epoch)
