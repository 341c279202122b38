"""Bytes to a JSON document, strictly: what RFC 8259 allows, in UTF-8, no key twice.

simdjson reads what is right. What it refuses is read once more by the standard library, slowly,
to say why. docs/decisions/0004-json.md has the measurements.
"""

import difflib
import json
import math
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any

import simdjson

from app.errors import Cell, RequestError
from app.talk import quoted, shortened

# Any: a JSON value, as simdjson's lazy Object and Array or as Python's own dict and list.
Value = Any
Document = dict[str, Value]

_MOST_LOOKED_AT = 100_000  # values that are no plain numbers, in a body simdjson refused

_OBJECTS, _ARRAYS = (simdjson.Object, dict), (simdjson.Array, list)
_UTF16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00", b"{\x00", b"[\x00")


def read_document(body: bytes, fields: Iterable[str] | None) -> Document:
    """The top-level object of a body, its values still as the parser holds them.

    Args:
        body: the whole body.
        fields: the keys that may occur; None for any.

    Raises:
        RequestError: empty-body, invalid-encoding, malformed-json, number-out-of-range,
            invalid-type (not an object), duplicate-key or unknown-field.
    """
    if not body or body.isspace():
        raise RequestError("empty-body", "expected a JSON object, got an empty body")
    if body.startswith(_UTF16_OR_32):
        raise RequestError("invalid-encoding", "expected UTF-8, got UTF-16 or UTF-32")
    if body.startswith(b"\xef\xbb\xbf"):
        raise RequestError("malformed-json", "expected JSON, got a byte order mark before it")

    document = _parse(body)
    if not is_object(document):
        raise RequestError("invalid-type", f"expected a JSON object, got {kind(document)}")
    return members(document, "", None if fields is None else frozenset(fields))


def members(value: Value, pointer: str, fields: frozenset[str] | None = None) -> Document:
    """The members of an object as the parser holds them; arguments as for `plain_members`."""
    keys = list(value.keys())
    _check_keys(keys, pointer, fields)
    # Not items(), which would make Python's own of every number.
    return {key: value[key] for key in keys}


def plain_members(record: Value, pointer: str, fields: frozenset[str]) -> dict[str, Value]:
    """The members of an object of plain values, each of them known and none of them twice.

    Args:
        record: its values become Python's own, all at once: looking them up one by one would be
            a walk through the object each time.
        pointer: where it stands.
        fields: the keys that may occur; for `members` None allows any.

    Raises:
        RequestError: duplicate-key or unknown-field.
    """
    pairs = list(record.items())
    _check_keys([key for key, _ in pairs], pointer, fields)
    return dict(pairs)


def _check_keys(keys: list[str], pointer: str, fields: frozenset[str] | None) -> None:
    if len(set(keys)) != len(keys):
        raise _twice(keys, pointer)
    if fields is not None and not fields.issuperset(keys):
        key = next(key for key in keys if key not in fields)
        close = difflib.get_close_matches(key[:100], sorted(fields), n=1)
        hint = f"did you mean {quoted(close[0])}?" if close else _expected(sorted(fields))
        raise RequestError(
            "unknown-field", f"unknown field; {hint}", Cell(child(pointer, key), "unknown")
        )


def is_object(value: Value) -> bool:
    """Whether a value is a JSON object."""
    return isinstance(value, _OBJECTS)


def is_array(value: Value) -> bool:
    """Whether a value is a JSON array."""
    return isinstance(value, _ARRAYS)


def is_plain(value: Value) -> bool:
    """Whether a value is a string or a number."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def kind(value: Value) -> str:
    """What a value is, in the words of JSON; never the value itself."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if is_array(value) else "an object"


def _expected(known: list[str]) -> str:
    shown = ", ".join(map(shortened, known[:10]))
    return f"expected one of {shown}" + (", ..." if len(known) > 10 else "")


def child(pointer: str, key: str) -> str:
    """Pointer to a member (RFC 6901); a key of any length is cut."""
    return f"{pointer}/{key[:100].replace('~', '~0').replace('/', '~1')}"


def _parse(body: bytes) -> Value:
    try:
        # A parser of its own for every body: its values live in the parser's memory.
        return simdjson.Parser().parse(body)
    except UnicodeDecodeError:
        raise RequestError("invalid-encoding", "the body is not UTF-8") from None
    except (ValueError, RuntimeError):
        return _parse_slowly(body)


def _parse_slowly(body: bytes) -> Value:
    """Say why simdjson refused a body; or read it, when its integers are just longer than 64 bits.

    Raises:
        RequestError: always, unless it is the latter.
    """
    objects = 0

    def members(pairs: list[tuple[str, Value]]) -> _Members:
        nonlocal objects
        objects += 1
        if objects > _MOST_LOOKED_AT:
            raise _too_many()
        return _Members(pairs)

    try:
        document = json.loads(
            body.decode(),
            parse_int=float,
            parse_constant=lambda name: math.nan,  # found again below, with its place
            object_pairs_hook=members,
        )
    except UnicodeDecodeError:
        raise RequestError("invalid-encoding", "the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise RequestError("malformed-json", f"not JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise RequestError("malformed-json", "nested too deeply") from None
    _refuse_flaws(document)
    return document


class _Members(dict[str, Value]):
    """An object that remembers all its keys, also those that came twice."""

    def __init__(self, pairs: list[tuple[str, Value]]) -> None:
        super().__init__(pairs)
        self.written = [key for key, _ in pairs]


def _refuse_flaws(document: Value) -> None:
    """Find the first place where Python's reader was too lenient.

    Raises:
        RequestError: number-out-of-range, malformed-json, duplicate-key or batch-too-large.
    """
    # A stack of its own, because hostile documents nest deeper than Python recurses.
    stack, looked_at = [(document, "")], 0
    while stack:
        value, pointer = stack.pop()
        looked_at += 1
        if looked_at + len(stack) > _MOST_LOOKED_AT:
            raise _too_many()
        _refuse_flaw(value, pointer)
        stack += reversed(_suspects(value, pointer))


def _refuse_flaw(value: Value, pointer: str) -> None:
    """Judge a value itself; what it holds is judged in its turn."""
    if isinstance(value, float) and not math.isfinite(value):
        raise _not_finite(value, pointer)
    if isinstance(value, str):
        _refuse_surrogates(value, pointer)
    if isinstance(value, _Members):
        if len(value) != len(value.written):
            raise _twice(value.written, pointer)
        for key in value:
            _refuse_surrogates(key, pointer)


def _suspects(value: Value, pointer: str) -> list[tuple[Value, str]]:
    """What a value holds, in order, except plain finite numbers."""
    if isinstance(value, _Members):
        return [(item, child(pointer, key)) for key, item in value.items()]
    if not isinstance(value, list):
        return []
    found = (
        (item, f"{pointer}/{i}")
        for i, item in enumerate(value)
        if type(item) is not float or not math.isfinite(item)
    )
    return list(islice(found, _MOST_LOOKED_AT))


def _too_many() -> RequestError:
    """No body that could be answered has so many parts: the flaw is not looked for."""
    detail = f"expected at most {_MOST_LOOKED_AT} objects and arrays beside plain numbers"
    return RequestError("batch-too-large", detail)


def _not_finite(value: float, pointer: str) -> RequestError:
    if math.isnan(value):
        cell = Cell(pointer, "not JSON")
        return RequestError("malformed-json", f"NaN or Infinity at {pointer} is not JSON", cell)
    cell = Cell(pointer, "no finite float64 is this large")
    return RequestError("number-out-of-range", f"the number at {pointer} is too large", cell)


def _refuse_surrogates(text: str, pointer: str) -> None:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        cell = Cell(pointer, "half a surrogate pair")
        raise RequestError("malformed-json", f"half a surrogate pair at {pointer}", cell)


def _twice(keys: list[str], pointer: str) -> RequestError:
    key = Counter(keys).most_common(1)[0][0]
    cell = Cell(child(pointer, key), "twice")
    return RequestError("duplicate-key", f"the same key twice, at {cell.pointer}", cell)
