"""softlens gradient: any derivative of the network, at each row of a file."""

import io
import json
import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any  # Any: JSON

import typer

from app.commands.output import Force, Json, ModelFile, check_output, print_lines, writing
from app.failures import OptionError
from app.interrupts import leaving_at_once
from app.talk import say

if TYPE_CHECKING:
    from model import Classifier, Floats
    from model.gradients import Point, Question

_LARGEST = 2**27  # numbers; 1 GiB of float64
_SHOWN = 10  # rows that are named on the terminal


class ModeName(StrEnum):
    """The matrix, or its product with a vector from either side."""

    jacobian = "jacobian"
    vjp = "vjp"
    jvp = "jvp"


class MethodName(StrEnum):
    """Ways to attribute an answer to the features."""

    saliency = "saliency"
    gradient_x_input = "gradient-x-input"
    integrated_gradients = "integrated-gradients"


def run(
    model: ModelFile,
    data: Annotated[
        str, typer.Argument(help="CSV, NPZ, or IDX images; other columns are ignored.")
    ],
    *,
    of: Annotated[
        str, typer.Option(help="inputs, z1, a1, logits, probabilities or loss.")
    ] = "probabilities",
    wrt: Annotated[str, typer.Option(help="The same, or W1, b1, W2, b2.")] = "logits",
    mode: Annotated[ModeName, typer.Option(help="Matrix or product.")] = ModeName.jacobian,
    labels: Annotated[
        str | None, typer.Option(help="Column of the class, for the loss; the one trained on.")
    ] = None,
    vector: Annotated[Path | None, typer.Option(help="An .npy for a vjp or a jvp.")] = None,
    attribute: Annotated[
        MethodName | None, typer.Option(help="Attribute `of` the predicted class to features.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="An .npz for the arrays instead of the terminal.")
    ] = None,
    as_json: Json = False,
    force: Force = False,
) -> None:
    """How one node of the network moves with another, in float64.

    By default the softmax Jacobian of each row: J_ij = dp_i/dz_j.

    For example:

        softlens gradient model.npz rows.csv

        softlens gradient model.npz rows.csv --of loss --wrt W1 --output dW1.npz
    """
    if output:
        check_output(output, force=force)
    with leaving_at_once():
        from model import load_classifier
        from model.gradients import PARAMETERS, Question

    classifier = load_classifier(model)
    point = _point(classifier, data, labels, needed=of == "loss")
    question = Question(of, wrt, mode.value)
    asked: dict[str, Any] = question._asdict()
    if attribute is None:
        arrays = {"gradient": _answer(point, question, vector)}
        asked |= _saturated(question, point)
    else:
        asked = {"attribute": attribute.value, "of": of}
        arrays = _attributions(classifier, point, of, attribute.value)
    shown = next(iter(arrays.values()))
    arrays |= {"logits": point.logits, "probabilities": point.probabilities}
    if output:
        _save(output, arrays)
    elif as_json:
        content = {**asked, **{name: array.tolist() for name, array in arrays.items()}}
        print_lines([json.dumps(content)])
    else:
        summed = of == "loss" or mode is not ModeName.jacobian
        print_lines(
            _lines(
                shown,
                whole=attribute is None
                and summed
                and wrt in PARAMETERS
                and mode is not ModeName.jvp,
            )
        )


def _point(classifier: "Classifier", data: str, column: str | None, *, needed: bool) -> "Point":
    import numpy as np

    from app.commands.scoring import naming_rows, read_inputs, target_of
    from model.data import is_table, read_labels
    from model.gradients import point_of_network

    usual = target_of(classifier)
    if needed and column is None and usual is None and is_table(data):
        # The last column, which `train` would take, may as well be a feature.
        raise OptionError("--labels: the loss needs the column of the class")
    features = read_inputs(classifier, data)
    inputs = features.inputs.astype(np.float64)
    known = classifier.metadata["classes"]
    labels = read_labels(data, known, column, usual) if needed or column is not None else None
    with naming_rows(features):
        trace = classifier.trace(inputs)
    return point_of_network(classifier.centred, classifier.activation, inputs, trace, labels)


def _attributions(
    classifier: "Classifier",
    point: "Point",
    of: str,
    method: Any,  # Any: one of METHODS
) -> "dict[str, Floats]":
    """Of each row's predicted class, from the middle of the training data."""
    import numpy as np

    from model.gradients import Network, attribute
    from model.gradients import Path as Line

    if of not in ("logits", "probabilities"):
        raise OptionError(f"--of: expected logits or probabilities with --attribute, got {of}")
    network = Network(classifier.centred, classifier.activation, classifier.centre)
    inputs, target = np.asarray(point.inputs), point.logits.argmax(axis=1)
    found = attribute(network, Line(inputs, classifier.centre, of, target), method)
    return {"attributions": found.values, "completeness_gap": found.completeness_gap}


def _answer(point: "Point", question: Any, vector: Path | None) -> "Floats":  # Any: a Question
    import numpy as np

    from model import InvalidInputError, open_regular
    from model.gradients import check_question, derivative, result_shape, sizes_of, vector_shape

    sizes = sizes_of(point)
    try:
        check_question(question, sizes)
    except InvalidInputError as error:
        raise OptionError(f"--of, --wrt: {error}") from None
    shape = result_shape(question, sizes)
    if math.prod(shape) > _LARGEST:
        raise OptionError(
            f"the result would be {' x '.join(map(str, shape))} numbers; at most {_LARGEST} are "
            "computed: give fewer rows, or ask for a vjp or a jvp"
        )
    if (question.mode == "jacobian") != (vector is None):
        raise OptionError("--vector goes with --mode vjp or --mode jvp, and they need it")
    if vector is None:
        return np.asarray(derivative(point, question))
    open_regular(vector).close()  # a pipe would keep NumPy waiting for ever
    try:
        values = np.lib.format.open_memmap(vector, mode="r")
    except (ValueError, EOFError):
        raise OptionError(f"--vector: {vector} is no .npy file; np.save makes one") from None
    if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise OptionError(f"--vector: {vector} holds something else than finite numbers")
    if np.shape(values) != vector_shape(question, sizes):
        wanted = vector_shape(question, sizes)
        raise OptionError(f"--vector: expected shape {wanted}, got {np.shape(values)}")
    return np.asarray(derivative(point, question, values))


def _saturated(question: "Question", point: "Point") -> dict[str, Any]:  # Any: JSON
    """What JSON says of rows whose derivative is nothing, and people are told."""
    from model.gradients import CERTAIN, certain_rows

    rows = certain_rows(question, point.probabilities)
    if not rows:
        return {}
    some = ", ".join(map(str, rows[:_SHOWN])) + (", ..." if rows[_SHOWN:] else "")
    say(f"softlens: row{'s' * (len(rows) > 1)} {some}: {CERTAIN}")
    return {"certain_rows": rows, "note": CERTAIN}


def _save(output: Path, arrays: "dict[str, Floats]") -> None:
    import numpy as np

    from model import write_atomically

    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    with writing(output):
        write_atomically(output, buffer.getvalue())


def _lines(gradient: "Floats", *, whole: bool) -> Any:  # Any: an iterator of text
    import numpy as np

    if whole or gradient.ndim < 1:
        yield np.array2string(gradient, precision=4, threshold=10_000)
        return
    for number, part in enumerate(gradient):
        yield f"row {number}\n{np.array2string(part, precision=4, threshold=10_000)}"
