"""softlens predict: one label and the probabilities for each row of a file."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.output import Force, Json, ModelFile, check_output, print_lines, writing
from app.interrupts import leaving_at_once

if TYPE_CHECKING:
    from model import Classifier
    from model.data import Features


def run(
    model: ModelFile,
    data: Annotated[str, typer.Argument(help="CSV, NPZ, or IDX images; a target is ignored.")],
    output: Annotated[Path | None, typer.Option(help="File instead of the terminal.")] = None,
    as_json: Json = False,
    force: Force = False,
) -> None:
    """Predict every row: as CSV, or as JSON Lines with --json.

    For example:

        softlens predict model.npz rows.csv

        softlens predict model.npz rows.csv --output predictions.csv
    """
    if output:
        check_output(output, force=force)
    with leaving_at_once():
        from app.commands.scoring import read_inputs
        from model import load_classifier

    classifier = load_classifier(model)
    features = read_inputs(classifier, data)  # all of it, before the first line is printed
    lines = (_json_lines if as_json else _csv_lines)(classifier, features)
    if output is None:
        print_lines(lines)
    else:
        from model import write_atomically

        with writing(output):
            write_atomically(output, "".join(f"{line}\n" for line in lines).encode())


def _json_lines(classifier: "Classifier", features: "Features") -> Iterator[str]:
    for label, probabilities in _answers(classifier, features):
        yield json.dumps({"label": label, "probabilities": [float(p) for p in probabilities]})


def _csv_lines(classifier: "Classifier", features: "Features") -> Iterator[str]:
    yield _csv_line(["label", *(f"p({name})" for name in classifier.metadata["classes"])])
    for label, probabilities in _answers(classifier, features):
        yield _csv_line([label, *probabilities])


def _csv_line(cells: list[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def _answers(classifier: "Classifier", features: "Features") -> Iterator[tuple[object, list[str]]]:
    """Label and probabilities of each row, as the shortest digits that round-trip float32."""
    from app.commands.scoring import in_blocks

    classes = classifier.metadata["classes"]
    for probabilities in in_blocks(features, classifier.predict):
        for row in probabilities:
            yield classes[int(row.argmax())], [str(p) for p in row]
