"""What the bodies of our own routes ask for."""

from typing import Literal, NamedTuple, TypeVar

from app.codecs.documents import Document, Value, is_array, kind, read_document
from app.codecs.nested import nested_array
from app.codecs.plain import plain_batch
from app.codecs.records import rows_of_records
from app.codecs.rows import (
    FLOAT32_LARGEST,
    FLOAT64_LARGEST,
    Batch,
    Limits,
    rows_of,
)
from app.errors import Cell, RequestError
from model import Float64s
from model.gradients import METHODS, Method, Mode, Question

MOST_STEPS = 1000  # of a quadrature

_MODES: tuple[Mode, ...] = ("jacobian", "vjp", "jvp")
_GRADIENT_FIELDS = (
    "inputs", "logits", "of", "wrt", "mode", "vector", "labels",
    "attribute", "target", "baseline", "steps",
)  # fmt: skip


class GradientQuestion(NamedTuple):
    """A batch to differentiate at, and what to differentiate."""

    given: Literal["inputs", "logits"]  # features for the model, or logits that need none
    batch: Batch  # rows (N, D) or (N, C)
    asked: Question
    vector: Float64s | None  # for a vjp or a jvp; its shape is for the service to judge
    labels: list[Value] | None  # N, as posted


class AttributionQuestion(NamedTuple):
    """A batch whose answers are to be attributed to its features."""

    batch: Batch  # rows (N, D)
    method: Method
    of: str  # logits or probabilities
    target: list[Value] | None  # N class names; None for the predicted ones
    baseline: Float64s | None  # (D,); None for the middle of the training data
    steps: int


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
    plain = plain_batch(body, "inputs", limits, FLOAT32_LARGEST)
    if plain is not None:
        return plain
    document = read_document(body, ("inputs", "records"), ("inputs",))
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


def decode_gradient(body: bytes, limits: Limits) -> GradientQuestion | AttributionQuestion:
    """The batch to differentiate at, and which derivative or attribution is wanted of it.

    Raises:
        RequestError: with the slug of the first thing that is wrong.
    """
    document = read_document(body, _GRADIENT_FIELDS, ("inputs", "logits"))
    if "attribute" in document:
        return _attribution(document, body, limits)
    if late := [field for field in ("target", "baseline", "steps") if field in document]:
        detail = f"`{late[0]}` goes with `attribute`"
        raise RequestError("unknown-field", detail, Cell(f"/{late[0]}", detail))

    _exactly_one(document, "inputs", "logits")
    given: Literal["inputs", "logits"] = "inputs" if "inputs" in document else "logits"
    batch = rows_of(document, given, body, limits, FLOAT64_LARGEST)
    if given == "logits" and batch.rows.shape[1] < 2:
        raise RequestError("wrong-width", "expected logits of at least 2 classes, got 1")

    mode = _one_of(document, "mode", _MODES, "jacobian")
    asked = Question(_text(document, "of", "probabilities"), _text(document, "wrt", "logits"), mode)
    labels = _for_each_row(document, "labels", batch)
    return GradientQuestion(given, batch, asked, _vector(document, asked), labels)


def _attribution(document: Document, body: bytes, limits: Limits) -> AttributionQuestion:
    allowed = ("inputs", "attribute", "of", "target", "baseline", "steps")
    if foreign := [field for field in document if field not in allowed]:
        detail = f"`{foreign[0]}` does not go with `attribute`; expected {', '.join(allowed)}"
        raise RequestError("unknown-field", detail, Cell(f"/{foreign[0]}", detail))
    if "inputs" not in document:
        raise RequestError("missing-field", "expected `inputs`")

    batch = rows_of(document, "inputs", body, limits, FLOAT64_LARGEST)
    steps = document.get("steps", 50)
    if type(steps) is not int or not 1 <= steps <= MOST_STEPS:
        detail = f"expected an integer from 1 to {MOST_STEPS}"
        raise RequestError("invalid-value", f"{detail} at /steps", Cell("/steps", detail))
    return AttributionQuestion(
        batch,
        _one_of(document, "attribute", METHODS, METHODS[0]),
        _one_of(document, "of", ("probabilities", "logits"), "probabilities"),
        _for_each_row(document, "target", batch),
        nested_array(document["baseline"], "/baseline") if "baseline" in document else None,
        steps,
    )


def decode_trace(body: bytes, limits: Limits) -> GradientQuestion:
    """A labelled batch whose every tensor is wanted.

    Raises:
        RequestError: with the slug of the first thing that is wrong.
    """
    document = read_document(body, ("inputs", "labels"), ("inputs",))
    for field in ("inputs", "labels"):
        if field not in document:
            raise RequestError("missing-field", f"expected `{field}`")
    batch = rows_of(document, "inputs", body, limits, FLOAT64_LARGEST)
    return GradientQuestion(
        "inputs", batch, Question("loss"), None, _for_each_row(document, "labels", batch)
    )


Choice = TypeVar("Choice", bound=str)


def _one_of(document: Document, field: str, choices: tuple[Choice, ...], default: Choice) -> Choice:
    text = _text(document, field, default)
    for choice in choices:
        if text == choice:
            return choice
    detail = f"expected one of {', '.join(choices)}"
    raise RequestError("invalid-value", f"{detail} at /{field}", Cell(f"/{field}", detail))


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


def _for_each_row(document: Document, field: str, batch: Batch) -> list[Value] | None:
    if field not in document:
        return None
    value = document[field]
    found = len(value) if is_array(value) else 1
    if found != len(batch.rows):
        detail = f"expected {len(batch.rows)} of them, one for each row, got {found}"
        raise RequestError("ragged-rows", f"{detail}, at /{field}", Cell(f"/{field}", detail))
    return list(value) if is_array(value) else [value]


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
