"""softlens inspect: what a model file says of itself, verified."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any  # Any: JSON

from app.commands.output import Json, ModelFile, print_lines
from app.interrupts import leaving_at_once
from app.talk import printable

if TYPE_CHECKING:
    from model import Artifact


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
    if as_json:
        print_lines([json.dumps(_everything(artifact))])
    else:
        print_lines(map(printable, _lines(artifact)))


def _everything(artifact: "Artifact") -> dict[str, Any]:
    return {
        **artifact.metadata,
        "shapes": _shapes(artifact),
        "temperature": artifact.temperature,
        "verified": True,
    }


def _lines(artifact: "Artifact") -> Iterator[str]:
    metadata, shapes = artifact.metadata, _shapes(artifact)
    features, hidden = shapes["W1"]
    yield f"name         {metadata['name']}"
    yield (
        f"network      {features} features, {hidden} {metadata['activation']} units, "
        f"{shapes['b2'][0]} classes"
    )
    yield f"classes      {_shortened(metadata['classes'])}"
    yield f"features     {_shortened(metadata['features'] or ['(no names)'])}"
    yield f"temperature  {artifact.temperature:.4f}"
    for part, scores in metadata["metrics"].items():
        listed = ", ".join(f"{name} {_score(value)}" for name, value in scores.items())
        yield f"{part:<12} {listed}"
    if "certificate" in metadata:
        yield f"certificate  {_certified(metadata['certificate'])}"
    for key in ("data", "training", "versions"):
        listed = ", ".join(f"{name} {value}" for name, value in metadata[key].items())
        yield f"{key:<12} {listed}"
    yield f"sha256       {metadata['sha256']} (verified)"


def _shapes(artifact: "Artifact") -> dict[str, list[int]]:
    return {name: list(array.shape) for name, array in artifact.parameters._asdict().items()}


def _certified(certificate: dict[str, Any]) -> str:
    """Such as: gradients right at probe seed 1: worst relative error 2e-16 in float64, ..."""
    errors = ", ".join(
        f"{max((error or 0 for error in tensors.values()), default=0):.1e} in {precision}"
        for precision, tensors in certificate["relative_error"].items()
    )
    return (
        f"gradients {certificate['verdict']} at the probe with seed {certificate['seed']}: worst "
        f"relative error {errors}; {len(certificate['mistakes_seen'])} mistakes would have shown"
    )


def _score(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _shortened(names: list[object]) -> str:
    shown = ", ".join(map(str, names[:10]))
    return shown if len(names) <= 10 else f"{shown}, ... ({len(names)} in all)"
