"""Batches as the managed platforms post them, and predictions as they read them.

`instances` is TensorFlow Serving's, KServe's and Vertex AI's; `inputs`, `dataframe_split` and
`dataframe_records` are MLflow's; CSV is SageMaker's.
"""

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from starlette.responses import Response

from app.codecs.answers import json_response
from app.codecs.arrays import writable
from app.codecs.documents import Document, Value, is_array, is_object, kind, members, read_document
from app.codecs.records import rows_of_records
from app.codecs.replies import CSV, Reply
from app.codecs.rows import FLOAT32_LARGEST, Batch, Limits, check_cells, rows_of
from app.errors import Cell, RequestError
from app.talk import quoted
from model import Float32s, Floats

_BATCHES = ("instances", "inputs", "dataframe_split", "dataframe_records")
_LONG = ("instances", "inputs", "dataframe_split/data")  # arrays that may be
_NO_TEXT = re.compile(rb"[^\t\n\r -~]")
_BESIDE = ("parameters", "params", "signature_name")  # meant for other models; nothing here has any


def decode_instances(body: bytes, features: list[str] | None, limits: Limits) -> Batch:
    """The rows of a platform's JSON, by position or by name.

    Args:
        body: an object with one of the four keys.
        features: the names of the model's features, if they have any.
        limits: refused beyond.

    Returns:
        Rows (N, W), finite in float32. Whether W fits is for the model to say.

    Raises:
        RequestError: with the slug of the first thing that is wrong.
    """
    document = read_document(body, (*_BATCHES, *_BESIDE), _LONG)
    given = [name for name in _BATCHES if name in document]
    if len(given) != 1:
        slug = "unknown-field" if given else "missing-field"
        found = " and ".join(given) or "none"
        raise RequestError(slug, f"expected one of {', '.join(_BATCHES)}, got {found}")
    field = given[0]
    if field == "dataframe_split":
        return _split(document, features, body, limits)
    rows = document[field]
    if is_array(rows) and len(rows) and is_object(rows[0]):
        return rows_of_records(document, _named(features, field), limits, field)
    return rows_of(document, field, body, limits, FLOAT32_LARGEST)


def decode_csv(body: bytes, limits: Limits) -> Batch:
    """Rows of numbers without a header, as SageMaker posts them.

    Raises:
        RequestError: invalid-encoding, empty-body, batch-too-large, ragged-rows or invalid-type.
    """
    if _NO_TEXT.search(body):
        raise RequestError("invalid-encoding", "expected CSV of numbers in ASCII")
    lines = _lines(body.decode("ascii"))
    if not lines:
        raise RequestError("empty-body", "expected lines of numbers, got none")
    if len(lines) > limits.rows:
        raise RequestError("batch-too-large", f"expected at most {limits.rows} rows")
    check_cells(sum(map(len, lines)), limits)
    for number, line in enumerate(lines, 1):
        if len(line) != len(lines[0]):
            wanted = len(lines[0])
            detail = f"line {number}: expected {wanted} numbers as in line 1, got {len(line)}"
            raise RequestError("ragged-rows", detail)
    return Batch(np.array([_numbers(i, line) for i, line in enumerate(lines, 1)]), "", flat=False)


def predictions(probabilities: Float32s) -> Response:
    """One list of class probabilities for each instance."""
    return json_response({"predictions": writable(probabilities)})


def predictions_csv(probabilities: Float32s) -> Response:
    """One line of class probabilities for each row, with the digits that JSON has."""
    lines = [",".join(map(str, row)) for row in probabilities]  # str, as float32 prints
    text = "\n".join(lines) + "\n"
    return Reply(text.encode(), CSV)


def explanations(labels: list[Any], gradients: Floats) -> Response:
    """The likeliest class of each instance, and how its probability moves with each feature.

    Args:
        labels: N class names (Any: they keep their JSON type).
        gradients: (N, D).
    """
    found = [
        {"label": label, "gradient": gradient}
        for label, gradient in zip(labels, gradients.tolist(), strict=True)
    ]
    return json_response({"explanations": found})


def _split(document: Document, features: list[str] | None, body: bytes, limits: Limits) -> Batch:
    """A data frame in columns and rows; columns that have names are put in the model's order."""
    frame = document["dataframe_split"]
    if not is_object(frame):
        detail = f"expected an object, got {kind(frame)}"
        raise RequestError("invalid-type", detail, Cell("/dataframe_split", detail))
    parts = members(frame, "/dataframe_split")
    if set(parts) - {"columns", "index", "data"}:
        detail = "expected columns, index and data alone"
        raise RequestError("unknown-field", detail, Cell("/dataframe_split", detail))
    if "data" not in parts:
        raise RequestError("missing-field", "expected `data` in dataframe_split")
    field = "dataframe_split/data"
    batch = rows_of({field: parts["data"]}, field, body, limits, FLOAT32_LARGEST)
    if "columns" not in parts or features is None:
        return batch
    return batch._replace(rows=batch.rows[:, _order(parts["columns"], features, batch)])


def _order(columns: Value, features: list[str], batch: Batch) -> list[int]:
    place, width = "/dataframe_split/columns", batch.rows.shape[1]
    # Not looked at before it is counted: it may hold millions.
    names = list(columns) if is_array(columns) and len(columns) == width else []
    if not names or len(set(map(str, names))) != len(names):
        detail = f"expected {width} different names, one for each column of data"
        raise RequestError("wrong-width", f"{detail} at {place}", Cell(place, detail))
    # A name may be anything, also what has no hash; and looked up in a list, each would take long.
    places = {name: i for i, name in enumerate(names) if isinstance(name, str)}
    if missing := [name for name in features if name not in places]:
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        detail = f"lacks {quoted(missing[0])}{more}"
        raise RequestError("missing-field", f"{detail} at {place}", Cell(place, detail))
    if len(names) > len(features):
        detail = f"expected {len(features)} columns, got {len(names)}"
        raise RequestError("unknown-field", f"{detail} at {place}", Cell(place, detail))
    return [places[name] for name in features]


def _named(features: list[str] | None, field: str) -> list[str]:
    if features is None:
        detail = "this model's features have no names: send rows of numbers"
        raise RequestError("no-feature-names", detail, Cell(f"/{field}", "not available"))
    return features


def _lines(text: str) -> list[list[str]]:
    """The cells of every line that is not empty."""
    reader = csv.reader(io.StringIO(text))
    try:
        return [line for line in reader if line]
    except csv.Error:  # a cell of more than 131,072 characters, or a carriage return within a line
        detail = f"line {reader.line_num}: expected numbers and commas, and a line feed at its end"
        raise RequestError("invalid-type", detail) from None


def _numbers(line: int, cells: Sequence[str]) -> list[float]:
    found = []
    for column, cell in enumerate(cells, 1):
        try:
            value = float(cell)
        except ValueError:
            value = float("nan")
        if not abs(value) <= FLOAT32_LARGEST or "_" in cell:
            detail = f"line {line}, column {column}: expected a finite number"
            raise RequestError("invalid-type", detail)
        found.append(value)
    return found
