"""softlens evaluate: how good a model is on labelled data."""

import json
from collections.abc import Iterator
from typing import Annotated, Any  # Any: JSON

import typer

from app.commands.output import Json, ModelFile, print_lines
from app.interrupts import leaving_at_once
from app.talk import printable


def run(
    model: ModelFile,
    data: Annotated[str, typer.Argument(help="CSV, NPZ, or IDX `images,labels`.")],
    target: Annotated[
        str | None, typer.Option(help="Column of the class; the one trained on.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Accuracy, log-loss in nats, expected calibration error and confusion matrix.

    For example:

        softlens evaluate digits.npz rows.csv

        softlens evaluate model.npz t10k-images.gz,t10k-labels.gz --json
    """
    with leaving_at_once():
        from app.commands.scoring import score

    report = score(model, data, target)
    lines = [json.dumps(report)] if as_json else map(printable, _lines(report))
    print_lines(lines)


def _lines(report: dict[str, Any]) -> Iterator[str]:
    yield f"rows       {report['rows']}"
    yield f"accuracy   {report['accuracy']:.4f}"
    yield f"log-loss   {report['log_loss']:.4f} nats"
    yield f"ECE        {report['ece']:.4f}"
    yield "confusion matrix (a row for each true class, a column for each predicted one)"
    width = max(len(str(cell)) for row in report["confusion_matrix"] for cell in row)
    names = [str(name) for name in report["classes"]]
    margin = max(len(name) for name in names)
    for name, row in zip(names, report["confusion_matrix"], strict=True):
        yield f"{name:>{margin}}  " + " ".join(f"{cell:>{width}}" for cell in row)
