"""From a dataset and a plan to a trained, calibrated artifact."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.archive import LARGEST_FILE
from model.arrays import Float32s
from model.artifact import Artifact
from model.classifier import fold
from model.data import Dataset, extremes, is_mapped
from model.errors import ArtifactError, DatasetError, DivergedError, TooLargeError
from model.functions import ACTIVATIONS
from model.network import Parameters, initial_parameters
from model.training.calibration import fit_temperature
from model.training.certificate import certify
from model.training.learner import Learner
from model.training.loop import Epoch, logits, train
from model.training.plan import Plan
from model.training.preflight import preflight
from model.training.preprocessing import (
    Preparation,
    Standardisation,
    fit_standardisation,
    held_out,
    prepare,
)
from model.training.record import describe, measure
from model.training.rows import Drawing, Source
from model.training.stored import StoredRows

Report = Callable[[Epoch, bool], None]  # called after every epoch; True when it is the best yet
Clock = Callable[[], float]  # seconds

_LARGEST_SQUARED = 1e150


class Fit(NamedTuple):
    """A finished run."""

    artifact: Artifact
    history: list[Epoch]
    best: int  # number of the epoch whose weights were kept
    stopped: str  # why: `completed`, `patience`, `interrupted`, or what diverged


class _Run(NamedTuple):
    history: list[Epoch]
    best: Epoch
    parameters: Parameters  # of the best epoch
    stopped: str


class _Task(NamedTuple):
    """What the loop works on."""

    training: Source
    held_out: Source
    scaling: Standardisation  # of all D columns
    preparation: Preparation
    plan: Plan
    rng: np.random.Generator


def fit(
    dataset: Dataset,
    plan: Plan,
    name: str,
    report: Report = lambda epoch, best: None,
    clock: Clock = time.perf_counter,
) -> Fit:
    """Train on a dataset, keep the best weights, calibrate them on the held-out rows.

    One KeyboardInterrupt, or a loss that is not finite, ends training early with the best weights
    so far. The same seed, machine and thread count give bit-equal weights.

    Args:
        dataset: at least two classes.
        plan: what to do.
        name: of the model, in answers and listings.
        report: shown every epoch as it ends.
        clock: for the seconds in the history.

    Raises:
        DatasetError: the target is no class, or a feature cannot be standardised.
        TooLargeError: the network cannot be saved, or there is too little memory.
        PreflightError: the start or the backprop is not what it should be.
        DivergedError: training broke down before the first epoch ended, or left nothing of use.
        KeyboardInterrupt: before the first epoch ended.
    """
    _refuse_too_large(dataset, plan)
    certificate = certify(ACTIVATIONS[plan.activation], plan.seed)
    try:
        with _one_thread_each():
            task = _prepare(dataset, plan)
            learner = _start(task, len(dataset.classes))
            try:
                run = _run(learner, task, report, clock)
            finally:
                learner.crew.close()
    except MemoryError:
        raise TooLargeError(
            f"{plan.hidden} hidden units, in batches of {plan.batch_size} rows, need more memory "
            "than there is; choose fewer"
        ) from None

    z2 = logits(run.parameters, ACTIVATIONS[plan.activation], task.held_out)
    labels = task.held_out.labels
    temperature = fit_temperature(z2, labels)
    metadata = describe(dataset, plan, name) | {
        "history": [epoch._asdict() for epoch in run.history],
        "metrics": measure(z2 / np.float32(temperature), labels),
        "certificate": certificate,
    }
    metadata["training"] |= {"best_epoch": run.best.number, "stopped": run.stopped}
    parameters, scaling = task.preparation.of_all(run.parameters), task.scaling
    artifact = Artifact(parameters, scaling.mean, scaling.scale, temperature, metadata)
    try:
        fold(artifact)
    except ArtifactError as error:
        raise DivergedError(f"the network that was trained {error}; {run.stopped}") from None
    return Fit(artifact, run.history, run.best.number, run.stopped)


def _one_thread_each() -> AbstractContextManager[object]:
    """Leave each matrix product to one thread, where the extra `train` is installed.

    Threads of our own share a step better than those of the products would, each of which is
    short. Elsewhere (when the image is built) the environment decides.
    """
    try:
        from threadpoolctl import threadpool_limits  # noqa: PLC0415  of an extra
    except ImportError:
        return nullcontext()
    return threadpool_limits(1)


def _refuse_too_large(dataset: Dataset, plan: Plan) -> None:
    """Refuse what could not be saved, before anything is allocated for it."""
    features, classes = dataset.inputs.shape[1], len(dataset.classes)
    most = LARGEST_FILE // (4 * (features + 1 + classes))  # bytes of float32 for each unit
    if plan.hidden > most:
        raise TooLargeError(
            f"expected at most {most} hidden units for {features} features and {classes} classes, "
            f"because a model file has at most {LARGEST_FILE} bytes; got {plan.hidden}"
        )


def _prepare(dataset: Dataset, plan: Plan) -> _Task:
    if len(dataset.classes) > len(dataset.labels) / 2:
        raise DatasetError(
            f"{dataset.source}: the target has {len(dataset.classes)} different values in "
            f"{len(dataset.labels)} rows; expected classes that repeat. Is it the right column?"
        )
    if (column := _widest(dataset)) is not None:
        name = f"column {column}" if dataset.features is None else repr(dataset.features[column])
        raise DatasetError(
            f"{dataset.source}: {name} holds numbers beyond 1e150, which cannot be "
            "squared; rescale it"
        )

    rng = np.random.default_rng(plan.seed)
    marks = held_out(dataset.labels, plan.validation, rng)
    scaling = fit_standardisation(dataset.inputs, dataset.kinds, ~marks)
    preparation = prepare(dataset.inputs, scaling)
    training, aside = (_source(dataset, marks, marked, preparation) for marked in (False, True))
    return _Task(training, aside, scaling, preparation, plan, rng)


def _source(
    dataset: Dataset, marks: NDArray[np.bool_], marked: bool, preparation: Preparation
) -> Source:
    """The rows (N,) that are marked, or those that are not."""
    if is_mapped(dataset.inputs):
        return StoredRows(dataset.inputs, dataset.labels, marks, marked, preparation)
    return preparation.rows(dataset.inputs, dataset.labels, marks == marked)


def _widest(dataset: Dataset) -> int | None:
    """A column whose variance would overflow, if there is one."""
    least, largest = extremes(dataset.inputs)
    size = np.maximum(-least.astype(np.float64), largest)
    return int(size.argmax()) if size.max() > _LARGEST_SQUARED else None


def _start(task: _Task, classes: int) -> Learner:
    """The network before training, checked on its first batch."""
    plan, rng, preparation = task.plan, task.rng, task.preparation
    activation = ACTIVATIONS[plan.activation]
    start = initial_parameters((preparation.features, plan.hidden, classes), activation, rng)

    learner = Learner(preparation.of_columns(start), activation, plan)
    first = next(Drawing(plan.batch_size, preparation.width).batches(task.training, rng))
    x = preparation.with_constants(first.inputs[:, :-1])
    preflight(
        preparation.of_all(learner.parameters), x, learner.targets[first.labels], activation, rng
    )
    return learner


def _run(learner: Learner, task: _Task, report: Report, clock: Clock) -> _Run:
    """Train until the plan, patience, a person or a broken loss ends it."""
    history: list[Epoch] = []
    best: Epoch | None = None
    kept: Float32s = learner.flat.copy()
    stopped, started = "completed", clock()
    try:
        for epoch in train(learner, task.training, task.held_out, task.rng):
            history.append(epoch._replace(seconds=clock() - started))
            better = best is None or _is_better(epoch, best)
            if better:
                kept[:] = learner.flat
                best = epoch
            report(history[-1], better)
            if best and epoch.number - best.number >= task.plan.patience:
                stopped = "patience"
                break
            started = clock()
    except (KeyboardInterrupt, DivergedError) as reason:
        stopped = str(reason) or "interrupted"
        if best is None:
            raise
    learner.flat[:] = kept
    assert best is not None  # noqa: S101  an epoch ended, or the block above left this function
    return _Run(history, best, learner.parameters, stopped)


def _is_better(epoch: Epoch, best: Epoch) -> bool:
    """Less validation loss; without validation rows the newest weights are the best."""
    if epoch.validation_loss is None or best.validation_loss is None:
        return True
    return epoch.validation_loss < best.validation_loss
