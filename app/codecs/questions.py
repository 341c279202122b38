"""What the bodies of our own routes ask for."""

from typing import Literal, NamedTuple

from app.codecs.documents import Document, kind, read_document
from app.codecs.rows import (
    FLOAT32_LARGEST,
    FLOAT64_LARGEST,
    Batch,
    Limits,
    rows_of,
    rows_of_records,
)
from app.errors import Cell, RequestError

_CHOICES = {"of": "probabilities", "wrt": "logits", "mode": "jacobian"}


class GradientQuestion(NamedTuple):
    """A batch to differentiate at: features for the model, or logits that need none."""

    given: Literal["inputs", "logits"]
    batch: Batch  # rows (N, D) or (N, C)


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
    """The batch to differentiate at.

    Raises:
        RequestError: with the slug of the first thing that is wrong.
    """
    document = read_document(body, ("inputs", "logits", *_CHOICES))
    _exactly_one(document, "inputs", "logits")
    for field, only in _CHOICES.items():
        _check_choice(document, field, only)

    if "inputs" in document:
        return GradientQuestion(
            "inputs", rows_of(document, "inputs", body, limits, FLOAT64_LARGEST)
        )
    logits = rows_of(document, "logits", body, limits, FLOAT64_LARGEST)
    if logits.rows.shape[1] < 2:
        raise RequestError("wrong-width", "expected logits of at least 2 classes, got 1")
    return GradientQuestion("logits", logits)


def _exactly_one(document: Document, first: str, second: str) -> None:
    if first in document and second in document:
        detail = f"expected `{first}` or `{second}`, got both"
        raise RequestError("unknown-field", detail, Cell(f"/{second}", "one too many"))
    if first not in document and second not in document:
        raise RequestError("missing-field", f"expected `{first}` or `{second}`")


def _check_choice(document: Document, field: str, only: str) -> None:
    value = document.get(field, only)
    if not isinstance(value, str):
        detail = f"expected a string, got {kind(value)}"
        raise RequestError("invalid-type", f"{detail} at /{field}", Cell(f"/{field}", detail))
    if value != only:
        detail = f"expected {only!r}: the softmax Jacobian is the one derivative served"
        raise RequestError("no-derivative", detail, Cell(f"/{field}", detail))
