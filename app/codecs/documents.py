"""Bytes to a JSON document, strictly: what RFC 8259 allows, in UTF-8, no key twice.

simdjson reads what is right. What it refuses is read once more by the standard library, slowly,
to say why. docs/decisions/0004-json.md has the measurements.
"""

import difflib
import json
import math
from collections.abc import Iterable
from typing import Any

import simdjson

from app.errors import Cell, RequestError

# Any: a JSON value, as simdjson's lazy Object and Array or as Python's own dict and list.
Value = Any
Document = dict[str, Value]

_UTF16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00", b"{\x00", b"[\x00")
_LARGEST_OF_64_BITS = 2**63


def read_document(body: bytes, fields: tuple[str, ...]) -> Document:
    """The top-level object of a body, its values still as the parser holds them.

    Args:
        body: the whole body.
        fields: the keys that may occur.

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
    return members(document, "", fields)


def members(document: Value, pointer: str, fields: Iterable[str]) -> Document:
    """The members of an object, each of them known and none of them twice.

    Raises:
        RequestError: duplicate-key or unknown-field.
    """
    keys = list(document.keys())
    if len(set(keys)) != len(keys):
        raise RequestError("duplicate-key", "an object has the same key twice")
    known = list(fields)
    for key in keys:
        if key not in known:
            close = difflib.get_close_matches(key[:100], known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else _expected(known)
            raise RequestError(
                "unknown-field", f"unknown field; {hint}", Cell(child(pointer, key), "unknown")
            )
    return {key: document[key] for key in keys}


def is_object(value: Value) -> bool:
    """Whether a value is a JSON object."""
    return isinstance(value, simdjson.Object | dict)


def is_array(value: Value) -> bool:
    """Whether a value is a JSON array."""
    return isinstance(value, simdjson.Array | list)


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
    shown = ", ".join(known[:10])
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
    try:
        document = json.loads(
            body.decode(),
            parse_int=float,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except UnicodeDecodeError:
        raise RequestError("invalid-encoding", "the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise RequestError("malformed-json", f"not JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise RequestError("malformed-json", "nested too deeply") from None

    largest, pointer = _largest_number(document, "")
    if math.isinf(largest):
        cell = Cell(pointer, "no finite float64 is this large")
        raise RequestError("number-out-of-range", f"the number at {pointer} is too large", cell)
    if largest < _LARGEST_OF_64_BITS:
        raise RequestError("malformed-json", "not JSON: a string holds half a surrogate pair")
    return document


def _refuse_constant(name: str) -> float:
    raise RequestError("malformed-json", f"not JSON: {name} is no JSON number")


def _unique(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise RequestError("duplicate-key", "an object has the same key twice")
    return document


def _largest_number(value: Value, pointer: str) -> tuple[float, str]:
    """The largest magnitude in a document that Python has read, and the pointer to it."""
    if isinstance(value, float):
        return abs(value), pointer
    if isinstance(value, dict):
        items = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        # A long list of numbers is looked through at the speed of C.
        if set(map(type, value)) == {float}:
            largest = max(map(abs, value))
            return largest, f"{pointer}/{next(i for i, x in enumerate(value) if abs(x) == largest)}"
        items = [(str(i), item) for i, item in enumerate(value)]
    else:
        return 0.0, pointer
    found = [_largest_number(item, child(pointer, key)) for key, item in items]
    return max(found, key=lambda pair: pair[0], default=(0.0, pointer))
