"""softlens inspect: what a model file says of itself, verified."""

import json

import typer

from app.commands.output import Json, ModelFile
from app.interrupts import leaving_at_once


def run(
    model: ModelFile,
    as_json: Json = False,
) -> None:
    """Metadata, shapes, hash, metrics; exits 65 when the file is not a sound model.

    For example:

        softlens inspect model.npz

        softlens inspect model.npz --json
    """
    with leaving_at_once():
        from model import load_artifact, load_classifier

    artifact = load_artifact(model)
    load_classifier(model)  # the self-test
    shapes = {name: list(array.shape) for name, array in artifact.parameters._asdict().items()}
    metadata = artifact.metadata
    if as_json:
        typer.echo(
            json.dumps(
                {
                    **metadata,
                    "shapes": shapes,
                    "temperature": artifact.temperature,
                    "verified": True,
                }
            )
        )
        return
    features, hidden = shapes["W1"]
    typer.echo(f"name         {metadata['name']}")
    typer.echo(
        f"network      {features} features, {hidden} {metadata['activation']} units, "
        f"{shapes['b2'][0]} classes"
    )
    typer.echo(f"classes      {_shortened(metadata['classes'])}")
    typer.echo(f"features     {_shortened(metadata['features'] or ['(no names)'])}")
    typer.echo(f"temperature  {artifact.temperature:.4f}")
    for part, scores in metadata["metrics"].items():
        listed = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
        typer.echo(f"{part:<12} {listed}")
    for key in ("data", "training", "versions"):
        listed = ", ".join(f"{name} {value}" for name, value in metadata[key].items())
        typer.echo(f"{key:<12} {listed}")
    typer.echo(f"sha256       {metadata['sha256']} (verified)")


def _shortened(names: list[object]) -> str:
    shown = ", ".join(map(str, names[:10]))
    return shown if len(names) <= 10 else f"{shown}, ... ({len(names)} in all)"
