"""softlens evaluate: how good a model is on labelled data."""

import json
from typing import Annotated

import typer

from app.commands.output import Json, ModelFile
from app.interrupts import leaving_at_once


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
    if as_json:
        typer.echo(json.dumps(report))
        return
    typer.echo(f"rows       {report['rows']}")
    typer.echo(f"accuracy   {report['accuracy']:.4f}")
    typer.echo(f"log-loss   {report['log_loss']:.4f} nats")
    typer.echo(f"ECE        {report['ece']:.4f}")
    typer.echo("confusion matrix (a row for each true class, a column for each predicted one)")
    width = max(len(str(cell)) for row in report["confusion_matrix"] for cell in row)
    names = [str(name) for name in report["classes"]]
    margin = max(len(name) for name in names)
    for name, row in zip(names, report["confusion_matrix"], strict=True):
        typer.echo(f"{name:>{margin}}  " + " ".join(f"{cell:>{width}}" for cell in row))
