"""What asks for a probe, and for a verdict on somebody's own gradient."""

from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn  # Any: arrays, numbers and text, by name

import numpy as np

from app.codecs.documents import (
    Document,
    Value,
    is_array,
    is_object,
    kind,
    plain_members,
    read_document,
)
from app.codecs.nested import nested_array
from app.codecs.rows import FLOAT64_LARGEST, Batch, Limits, rows_of
from app.errors import Cell, RequestError, child
from model import Float64s
from model.gradients import LARGEST_SEED, LEVELS

_FIELDS = ("probe", "given", "inputs", "logits", "labels", "candidate", "precision")
_GIVEN = (
    "logits", "labels", "inputs", "W1", "b1", "W2", "b2", "activation", "weight_decay",
    "temperature",
)  # fmt: skip
_TENSORS = ("jacobian", "delta3", "delta2", "dW1", "db1", "dW2", "db2")


class CheckQuestion(NamedTuple):
    """Somebody's gradient, and where it was taken: exactly one of the three."""

    candidate: dict[str, Float64s]
    precision: str | None
    probe: tuple[str, int] | None = None  # level and seed
    given: Mapping[str, Any] | None = None  # arrays of the person's own
    served: tuple[Batch, list[Value]] | None = None  # inputs and labels, for the served model
    root: str = ""  # where the arrays that describe the point stand in the body


def decode_check(body: bytes, limits: Limits) -> CheckQuestion:
    """What was posted to be checked.

    Args:
        body: JSON with `candidate`, and `probe`, `given`, `logits`, or `inputs` and `labels`.
        limits: refused beyond.

    Raises:
        RequestError: with the slug of the first thing that is wrong.
    """
    if body.count(b",") > limits.check_numbers:
        detail = f"expected at most {limits.check_numbers} numbers in a check"
        raise RequestError("batch-too-large", detail)
    document = read_document(body, _FIELDS)
    if "candidate" not in document:
        raise RequestError("missing-field", "expected `candidate`: the gradient to be checked")
    question = CheckQuestion(_candidate(document["candidate"]), _precision(document))
    place = _place(document)
    if place == "probe":
        return question._replace(probe=_probe(document["probe"]), root="/probe")
    if place == "given":
        return question._replace(given=_given(document["given"]), root="/given")
    if place == "logits":
        logits = {name: document[name] for name in ("logits", "labels") if name in document}
        return question._replace(given={name: _array(v, f"/{name}") for name, v in logits.items()})
    if "labels" not in document:
        raise RequestError("missing-field", "expected `labels`: the loss needs one for each row")
    batch = rows_of(document, "inputs", body, limits, FLOAT64_LARGEST)
    labels = document["labels"]
    return question._replace(served=(batch, list(labels) if is_array(labels) else [labels]))


def read_query(query: list[tuple[str, str]]) -> tuple[str, int]:
    """Level and seed of a probe, from the query of its address.

    Raises:
        RequestError: missing-field, unknown-field, duplicate-key or invalid-value.
    """
    for name in ("level", "seed"):
        found = [value for key, value in query if key == name]
        if len(found) != 1:
            slug = "duplicate-key" if found else "missing-field"
            raise RequestError(slug, f"expected `{name}` once: ?level=network&seed=7")
    if unknown := [key for key, _ in query if key not in ("level", "seed")]:
        detail = "expected level and seed alone"
        raise RequestError("unknown-field", detail, Cell(child("", unknown[0]), detail))
    parts = dict(query)
    seed = parts["seed"]
    if not (seed.isascii() and seed.isdigit() and len(seed) <= 19):
        raise RequestError("invalid-value", "seed: expected an integer from 0 to 2^63 - 1")
    return parts["level"], int(seed)


def _place(document: Document) -> str:
    places = [name for name in ("probe", "given", "logits", "inputs") if name in document]
    if len(places) != 1:
        wanted = "`probe`, `given`, `logits`, or `inputs` with `labels`"
        slug = "unknown-field" if places else "missing-field"
        raise RequestError(slug, f"expected one of {wanted}, got {' and '.join(places) or 'none'}")
    if "labels" in document and places[0] in ("probe", "given"):
        detail = f"`labels` does not go with `{places[0]}`"
        raise RequestError("unknown-field", detail, Cell("/labels", detail))
    return places[0]


def _probe(value: Value) -> tuple[str, int]:
    members = _members(value, "/probe", ("level", "seed"))
    for name in ("level", "seed"):
        if name not in members:
            detail = f"expected `{name}`"
            raise RequestError("missing-field", f"{detail} at /probe", Cell("/probe", detail))
    level, seed = members["level"], members["seed"]
    if level not in LEVELS:
        _refuse("invalid-value", "/probe/level", f"one of {', '.join(LEVELS)}")
    if type(seed) is not int:
        _refuse("invalid-type", "/probe/seed", f"an integer, got {kind(seed)}")
    if not 0 <= seed <= LARGEST_SEED:
        _refuse("invalid-value", "/probe/seed", "an integer from 0 to 2^63 - 1")
    return level, seed


def _given(value: Value) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for name, item in _members(value, "/given", _GIVEN).items():
        place = f"/given/{name}"
        if name == "activation":
            if not isinstance(item, str):
                _refuse("invalid-type", place, f"a string, got {kind(item)}")
            found[name] = item
        else:
            found[name] = _array(item, place)
    return found


def _candidate(value: Value) -> dict[str, Float64s]:
    """Numbers by tensor; null stands for NaN, which JSON does not have."""
    members = _members(value, "/candidate", _TENSORS)
    return {name: _array(item, f"/candidate/{name}", nulls=True) for name, item in members.items()}


def _precision(document: Document) -> str | None:
    value = document.get("precision")
    if "precision" in document and not isinstance(value, str):
        _refuse("invalid-type", "/precision", f"a string, got {kind(value)}")
    return value


def _members(value: Value, pointer: str, fields: tuple[str, ...]) -> dict[str, Value]:
    if not is_object(value):
        _refuse("invalid-type", pointer, f"an object, got {kind(value)}")
    return plain_members(value, pointer, frozenset(fields))


def _array(value: Value, pointer: str, *, nulls: bool = False) -> Float64s:
    return np.asarray(nested_array(value, pointer, nulls=nulls))


def _refuse(slug: str, pointer: str, expected: str) -> NoReturn:
    detail = f"expected {expected}"
    raise RequestError(slug, f"{detail} at {pointer}", Cell(pointer, detail))
