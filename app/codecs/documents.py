"""Bytes to a JSON document, strictly: what RFC 8259 allows, in UTF-8, no key twice.

simdjson reads what is right. What it refuses is read once more by the standard library, slowly,
to say why. docs/decisions/0004-json.md has the measurements.
"""

import difflib
from bisect import bisect_left
from collections.abc import Collection, Iterable
from typing import Any, cast

import simdjson

from app.codecs.flaws import Part, read_slowly, twice
from app.codecs.lifting import Numbers, lift
from app.errors import Cell, RequestError, child
from app.talk import quoted, shortened

# Any: a JSON value, as simdjson's lazy Object and Array or as Python's own dict and list.
Value = Any
Document = dict[str, Value]

_OBJECTS, _ARRAYS = (simdjson.Object, dict), (simdjson.Array, list, Numbers)
_COMPARED = 200  # names, with one that is not known
_EXPLAINED = 2**21  # bytes
_OF_NUMBERS = ("NUMBER_ERROR", "BIGINT_ERROR")
_MOST_MEMBERS = 1000  # of an object in which any may be: each is looked up
_MANY_MEMBERS = 100_000  # of an object, whoever knows so many names
_UTF16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00", b"{\x00", b"[\x00")


def read_document(
    body: bytes, fields: Iterable[str] | None, long: Collection[str] = ()
) -> Document:
    """The top-level object of a body, its values still as the parser holds them.

    Args:
        body: the whole body.
        fields: the keys that may occur; None for any.
        long: where a long array of numbers may stand, which is then not read yet: keys from the top
            down, and 0 for the first of an array, with slashes between them.

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

    known = None if fields is None else frozenset(fields)
    lifted = lift(body) if long else None
    if lifted is not None:
        root = parse(lifted.skeleton, lifted)
        # Otherwise the array is no member at all, but the whole document.
        if is_object(root) and lifted.mark not in root.keys():  # noqa: SIM118  simdjson's
            document = _object(root, known)
            for path in long:
                restored = _restored(document, "", path, Numbers(lifted, path))
                if restored is not None:
                    return cast("Document", restored)
    return _object(parse(body), known)


def _restored(value: Value, pointer: str, path: str, numbers: Numbers) -> Value | None:
    """A value with the numbers where their stand-in is; None if `path` does not lead there."""
    if not path:
        return numbers if is_object(value) and list(value.keys()) == [numbers.mark] else None
    step, _, rest = path.partition("/")
    place = f"{pointer}/{step}"
    if is_array(value) and step == "0" and len(value):
        first = _restored(value[0], place, rest, numbers)
        return None if first is None else [first, *list(value)[1:]]
    if not is_object(value) or step not in value.keys():  # noqa: SIM118  simdjson's
        return None
    inner = _restored(value[step], place, rest, numbers)
    return None if inner is None else members(value, pointer) | {step: inner}


def _object(document: Value, fields: frozenset[str] | None) -> Document:
    if not is_object(document):
        raise RequestError("invalid-type", f"expected a JSON object, got {kind(document)}")
    return members(document, "", fields)


def parse(text: bytes, part: Part | None = None) -> Value:
    """The value of a whole body, or of a part of one.

    Raises:
        RequestError: invalid-encoding, malformed-json, number-out-of-range, duplicate-key or
            batch-too-large; with its place in the whole.
    """
    try:
        # A parser of its own for every text: its values live in the parser's memory.
        return simdjson.Parser().parse(text)
    except UnicodeDecodeError:
        raise RequestError("invalid-encoding", "the body is not UTF-8") from None
    except (ValueError, RuntimeError) as error:
        # Only of numbers simdjson refuses some that are JSON. Why else, is looked for while that
        # takes no tenths of a second.
        if len(text) > _EXPLAINED and not str(error).startswith(_OF_NUMBERS):
            raise RequestError("malformed-json", "not JSON") from None
        return read_slowly(text, part)


def members(value: Value, pointer: str, fields: frozenset[str] | None = None) -> Document:
    """The members of an object as the parser holds them; arguments as for `plain_members`."""
    _check_count(value, pointer, _MOST_MEMBERS if fields is None else _MANY_MEMBERS)
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
        RequestError: duplicate-key, unknown-field or batch-too-large.
    """
    _check_count(record, pointer, max(_MANY_MEMBERS, len(fields)))
    pairs = list(record.items())
    _check_keys([key for key, _ in pairs], pointer, fields)
    return dict(pairs)


def _check_count(value: Value, pointer: str, most: int) -> None:
    if len(value) > most:
        detail = f"expected at most {most} members"
        raise RequestError("batch-too-large", f"{detail} at {pointer}/", Cell(pointer, detail))


def _check_keys(keys: list[str], pointer: str, fields: frozenset[str] | None) -> None:
    if len(set(keys)) != len(keys):
        raise twice(keys, pointer)
    if fields is not None and not fields.issuperset(keys):
        key = next(key for key in keys if key not in fields)
        known = sorted(fields)
        close = difflib.get_close_matches(key[:100], _around(key, known), n=1)
        hint = f"did you mean {quoted(close[0])}?" if close else _expected(known)
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


def _around(key: str, known: list[str]) -> list[str]:
    """Those of very many names that begin most alike: to compare all would take too long."""
    place = bisect_left(known, key)
    return known[max(0, place - _COMPARED // 2) : place + _COMPARED // 2]


def _expected(known: list[str]) -> str:
    shown = ", ".join(map(shortened, known[:10]))
    return f"expected one of {shown}" + (", ..." if len(known) > 10 else "")
