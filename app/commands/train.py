"""softlens train: a dataset becomes a model file."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app import exit_codes
from app.commands.output import Force, check_output, locked, print_lines, writing
from app.failures import OptionError, OutputError
from app.interrupts import leaving_at_once
from app.talk import printable, say

if TYPE_CHECKING:
    from model.data import Dataset
    from model.training import Plan

# The defaults are those of model.training.Plan, which importing would take NumPy; a test compares.


class Activation(StrEnum):
    """Hidden nonlinearities."""

    relu = "relu"
    tanh = "tanh"


class OptimizerName(StrEnum):
    """Update rules."""

    adam = "adam"
    sgd = "sgd"


class Schedule(StrEnum):
    """Shapes of the learning rate."""

    constant = "constant"
    cosine = "cosine"


def option(name: str, text: str, low: float | None = None, high: float | None = None) -> Any:
    """An option with its range. Any: typer does not name the type of its options."""
    return typer.Option(name, help=text, min=low, max=high)


def run(
    data: Annotated[
        str | None,
        typer.Argument(help="CSV, NPZ, or IDX `images,labels`. Without it: the shipped digits."),
    ] = None,
    *,
    output: Annotated[Path, typer.Option("--output", help="The model file to make, .npz.")],
    target: Annotated[str | None, typer.Option(help="Column of the class; the last one.")] = None,
    hidden: Annotated[int, option("--hidden", "Hidden units.", 1)] = 128,
    activation: Annotated[Activation, typer.Option(help="Of the hidden layer.")] = Activation.relu,
    epochs: Annotated[int, option("--epochs", "Passes over the rows.", 1)] = 40,
    batch_size: Annotated[int, option("--batch-size", "Rows for one update.", 1)] = 64,
    optimizer: Annotated[OptimizerName, typer.Option(help="Update rule.")] = OptimizerName.adam,
    learning_rate: Annotated[float, option("--learning-rate", "Its peak.", 0)] = 2e-3,
    momentum: Annotated[float, option("--momentum", "For sgd.", 0, 0.999)] = 0.9,
    schedule: Annotated[Schedule, typer.Option(help="Of the learning rate.")] = Schedule.cosine,
    warmup: Annotated[int, option("--warmup", "Epochs of linear rise.", 0)] = 1,
    weight_decay: Annotated[float, option("--weight-decay", "Decoupled.", 0)] = 0.2,
    label_smoothing: Annotated[float, option("--label-smoothing", "Share.", 0, 0.99)] = 0.1,
    validation: Annotated[float, option("--validation", "Share held out.", 0, 0.9)] = 0.1,
    patience: Annotated[int, option("--patience", "Epochs to wait for a better one.", 1)] = 10,
    seed: Annotated[int, option("--seed", "Of everything random.", 0)] = 0,
    threads: Annotated[int, option("--threads", "Of the matrix products.", 1)] = 1,
    force: Force = False,
) -> None:
    """Train a classifier and save it.

    Ctrl-C once stops early and saves the best weights so far.

    For example:

        softlens train --output digits.npz

        softlens train rows.csv --target species --output species.npz
    """
    check_output(output, force=force)
    if output.suffix != ".npz":
        raise OutputError(f"{output}: expected a name that ends in .npz; name it {output.name}.npz")
    plan = _plan(
        hidden=hidden,
        activation=activation.value,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer.value,
        learning_rate=learning_rate,
        momentum=momentum,
        schedule=schedule.value,
        warmup=warmup,
        weight_decay=weight_decay,
        label_smoothing=label_smoothing,
        validation=validation,
        patience=patience,
        seed=seed,
        threads=threads,
    )
    with locked(output):
        check_output(output, force=force)  # again: another process may just have finished it
        raise typer.Exit(_train(_dataset(data, target), plan, output))


def _plan(**choices: Any) -> "Plan":  # Any: as Plan has them, and judges them
    with leaving_at_once():
        from model.training import Plan

    try:
        return Plan(**choices)
    except ValueError as error:
        raise OptionError(f"--{str(error).replace('_', '-')}") from None


def _dataset(data: str | None, target: str | None) -> "Dataset":
    from model.data import load_digits, read_dataset

    if data is None:
        if target is not None:
            raise typer.BadParameter("--target names a column of DATA, and no DATA was given")
        return load_digits()
    return read_dataset(data, target)


def _train(dataset: "Dataset", plan: "Plan", output: Path) -> int:
    from app.commands.progress import progress
    from model import save_artifact
    from model.training import fit

    _tell_of_constants(dataset)
    with progress(plan.epochs) as show:
        result = fit(dataset, plan, output.stem, show)

    with writing(output):
        digest = save_artifact(output, result.artifact)
    best = f"weights of epoch {result.best}, sha256 {digest}"
    lines = [*_scores(result.artifact.metadata["metrics"]["validation"]), best]
    print_lines(printable(f"{output}: {line}") for line in lines)
    return _conclude(result.stopped)


def _tell_of_constants(dataset: "Dataset") -> None:
    """Name a few columns that can only have come along by mistake."""
    from model.data import constant_columns

    found = constant_columns(dataset)
    if not found:
        return
    names = [f"{i}" if dataset.features is None else repr(dataset.features[i]) for i in found]
    few = ", ".join(f"{name:.40}" for name in names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    what = "column" if len(names) == 1 else "columns"
    say(f"softlens: {dataset.source}: the same in every row, so of no use: {what} {few}{more}")


def _scores(held_out: dict[str, float]) -> list[str]:
    if not held_out["rows"]:
        return []
    return [
        f"validation accuracy {held_out['accuracy']:.4f}, log-loss {held_out['log_loss']:.4f}, "
        f"ECE {held_out['ece']:.4f} on {held_out['rows']} rows"
    ]


def _conclude(stopped: str) -> int:
    """Say why training ended early, if it did, and which exit code that is."""
    match stopped:
        case "completed" | "patience":
            return exit_codes.OK
        case "interrupted":
            say("softlens: interrupted; the best weights so far are saved")
            return exit_codes.INTERRUPTED
        case _:
            say(f"softlens: {stopped}; the best weights before that are saved")
            return exit_codes.UNEXPECTED
