"""softlens gradient: the softmax Jacobian of each row of a file."""

import io
import json
from pathlib import Path
from typing import Annotated

import typer

from app.commands.output import Force, Json, ModelFile, check_output, print_lines, writing


def run(
    model: ModelFile,
    data: Annotated[str, typer.Argument(help="CSV, NPZ, or IDX images; a target is ignored.")],
    output: Annotated[
        Path | None, typer.Option(help="An .npz for the arrays instead of the terminal.")
    ] = None,
    as_json: Json = False,
    force: Force = False,
) -> None:
    """How each probability moves with each logit, in float64: J_ij = dp_i/dz_j.

    For example:

        softlens gradient model.npz rows.csv

        softlens gradient model.npz rows.csv --output jacobians.npz
    """
    if output:
        check_output(output, force=force)
    import numpy as np

    from app.commands.scoring import read_inputs
    from model import load_classifier, write_atomically
    from model.gradients import softmax_derivative

    classifier = load_classifier(model)
    inputs = read_inputs(classifier, data).astype(np.float64)
    found = softmax_derivative(classifier.trace(inputs).z2)
    arrays = {
        "gradient": found.jacobian,
        "logits": found.logits,
        "probabilities": found.probabilities,
    }
    if output:
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        with writing(output):
            write_atomically(output, buffer.getvalue())
    elif as_json:
        lists = {name: array.tolist() for name, array in arrays.items()}
        typer.echo(json.dumps({"of": "probabilities", "wrt": "logits", **lists}))
    else:
        print_lines(
            f"row {number}\n{np.array2string(matrix, precision=4, threshold=10_000)}"
            for number, matrix in enumerate(found.jacobian)
        )
