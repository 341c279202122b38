"""What the bodies of our own routes ask for."""

from typing import Literal, NamedTuple

from app.codecs.documents import Document, Value, is_array, kind, read_document
from app.codecs.nested import nested_array
from app.codecs.rows import (
    FLOAT32_LARGEST,
    FLOAT64_LARGEST,
    Batch,
    Limits,
    rows_of,
    rows_of_records,
)
from app.errors import Cell, RequestError
from model import Float64s
from model.gradients import Mode, Question

_MODES: tuple[Mode, ...] = ("jacobian", "vjp", "jvp")


class GradientQuestion(NamedTuple):
    """A batch to differentiate at, and what to differentiate."""

    given: Literal["inputs", "logits"]  # features for the model, or logits that need none
    batch: Batch  # rows (N, D) or (N, C)
    asked: Question
    vector: Float64s | None  # for a vjp or a jvp; its shape is for the service to judge
    labels: list[Value] | None  # N, as posted


def decode_predict(body: bytes, features: list[str] | None, limits: Limits) -> Batch:
    """The rows to predict.

    Args:
        body: JSON with `inputs`, or with `records` when the features have names.
        features: their names, if they have any.
        limits: refused beyond.

    Returns:
        Rows (N, W), finite in float32. Whether W fits is for the model to say.

    Raises:
        RequestError: with the slug of the first thing that is wrong.
    """
    document = read_document(body, ("inputs", "records"))
    _exactly_one(document, "inputs", "records")
    if "inputs" in document:
        return rows_of(document, "inputs", body, limits, FLOAT32_LARGEST)
    if features is None:
        raise RequestError(
            "no-feature-names",
            "this model's features have no names: send `inputs`",
            Cell("/records", "not available"),
        )
    return rows_of_records(document, features, limits)


def decode_gradient(body: bytes, limits: Limits) -> GradientQuestion:
    """The batch to differentiate at, and which derivative is wanted of it.

    Raises:
        RequestError: with the slug of the first thing that is wrong.
    """
    document = read_document(body, ("inputs", "logits", "of", "wrt", "mode", "vector", "labels"))
    _exactly_one(document, "inputs", "logits")
    given: Literal["inputs", "logits"] = "inputs" if "inputs" in document else "logits"
    batch = rows_of(document, given, body, limits, FLOAT64_LARGEST)
    if given == "logits" and batch.rows.shape[1] < 2:
        raise RequestError("wrong-width", "expected logits of at least 2 classes, got 1")

    asked = Question(
        _text(document, "of", "probabilities"), _text(document, "wrt", "logits"), _mode(document)
    )
    return GradientQuestion(given, batch, asked, _vector(document, asked), _labels(document, batch))


def decode_trace(body: bytes, limits: Limits) -> GradientQuestion:
    """A labelled batch whose every tensor is wanted.

    Raises:
        RequestError: with the slug of the first thing that is wrong.
    """
    document = read_document(body, ("inputs", "labels"))
    for field in ("inputs", "labels"):
        if field not in document:
            raise RequestError("missing-field", f"expected `{field}`")
    batch = rows_of(document, "inputs", body, limits, FLOAT64_LARGEST)
    return GradientQuestion("inputs", batch, Question("loss"), None, _labels(document, batch))


def _mode(document: Document) -> Mode:
    text = _text(document, "mode", "jacobian")
    for mode in _MODES:
        if text == mode:
            return mode
    detail = f"expected one of {', '.join(_MODES)}"
    raise RequestError("invalid-value", f"{detail} at /mode", Cell("/mode", detail))


def _vector(document: Document, asked: Question) -> Float64s | None:
    if asked.mode == "jacobian":
        if "vector" in document:
            detail = "a jacobian needs no vector; ask for a vjp or a jvp"
            raise RequestError("unknown-field", detail, Cell("/vector", detail))
        return None
    if "vector" not in document:
        raise RequestError(
            "missing-field", f"expected `vector`: a {asked.mode} is a product with it"
        )
    return nested_array(document["vector"], "/vector")


def _labels(document: Document, batch: Batch) -> list[Value] | None:
    if "labels" not in document:
        return None
    value = document["labels"]
    labels = list(value) if is_array(value) else [value]
    if len(labels) != len(batch.rows):
        detail = f"expected {len(batch.rows)} labels, one for each row, got {len(labels)}"
        raise RequestError("ragged-rows", detail, Cell("/labels", detail))
    return labels


def _text(document: Document, field: str, default: str) -> str:
    value = document.get(field, default)
    if not isinstance(value, str):
        detail = f"expected a string, got {kind(value)}"
        raise RequestError("invalid-type", f"{detail} at /{field}", Cell(f"/{field}", detail))
    return value


def _exactly_one(document: Document, first: str, second: str) -> None:
    if first in document and second in document:
        detail = f"expected `{first}` or `{second}`, got both"
        raise RequestError("unknown-field", detail, Cell(f"/{second}", "one too many"))
    if first not in document and second not in document:
        raise RequestError("missing-field", f"expected `{first}` or `{second}`")
