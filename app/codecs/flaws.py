"""Why a text is no JSON, read once more by the standard library; or that it is, after all.

simdjson says no more than that it refuses a text, and it refuses integers beyond 64 bits.
"""

import json
import math
from collections import Counter
from itertools import islice
from typing import Any, NamedTuple, Protocol

from app.errors import Cell, RequestError, child

_MOST_LOOKED_AT = 100_000  # values that are no plain numbers


class Part(Protocol):
    """Where a text stands in the body it was made from."""

    def place(self, position: int) -> str:
        """A position in the text, in the words for a position in the body."""

    def roots(self, document: Any) -> list[tuple[Any, str]]:
        """The values of the text to look through, and where they stand in the body."""


class Piece(NamedTuple):
    """Where a text was cut from a body. It is an array in itself, of some elements of another."""

    body: bytes
    start: int  # in the body, of the first character
    pointer: str  # to the array it is of
    first: int  # index of its first element there
    width: int | None = None  # of its rows, where another piece has shown it

    def roots(self, document: Any) -> list[tuple[Any, str]]:
        """What the text holds that may be to blame, and where it stands."""
        return _suspects(document, self.pointer, self.first)[::-1]

    def place(self, position: int) -> str:
        """A position in the text, in the words for a position in the body."""
        return place_after(self.body[: self.start + position].decode())


def place_after(text: str) -> str:
    """Where a text ends, as it is said of the place of a flaw."""
    line = text.rpartition("\n")[2]
    return f"line {text.count(chr(10)) + 1}, column {len(line) + 1}"


def read_slowly(text: bytes, part: Part | None = None) -> Any:  # Any: a JSON value
    """Say why simdjson refused a text; or read it, if its integers are just longer than 64 bits.

    Raises:
        RequestError: always, unless it is the latter.
    """
    objects = 0

    def members(pairs: list[tuple[str, Any]]) -> _Members:
        nonlocal objects
        objects += 1
        if objects > _MOST_LOOKED_AT:
            raise _too_many()
        return _Members(pairs)

    try:
        document = json.loads(
            text.decode(),
            parse_int=_number,
            parse_float=_number,
            parse_constant=lambda name: math.nan,  # found again below, with its place
            object_pairs_hook=members,
        )
    except UnicodeDecodeError:
        raise RequestError("invalid-encoding", "the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        where = where if part is None else part.place(error.pos)
        raise RequestError("malformed-json", f"not JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise RequestError("malformed-json", "nested too deeply") from None
    _refuse_flaws(document, part)
    # Nothing is wrong with it: once more, so that shapes, labels and seeds stay integers.
    return json.loads(text, parse_int=_integer)


def _number(digits: str) -> float:
    """A number, by a function of Python's: between two of them other threads may go on."""
    return float(digits)


def _integer(digits: str) -> int | float:
    """An integer where it may be meant as one; a longer one can only be a number of a row."""
    return int(digits) if len(digits) <= len("-9223372036854775808") else float(digits)


class _Members(dict[str, Any]):
    """An object that remembers all its keys, also those that came twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.written = [key for key, _ in pairs]


def _refuse_flaws(document: Any, part: Part | None) -> None:
    """Find the first place where Python's reader was too lenient.

    Raises:
        RequestError: number-out-of-range, malformed-json, duplicate-key or batch-too-large.
    """
    # A stack of its own, because hostile documents nest deeper than Python recurses.
    stack, looked_at = [(document, "")] if part is None else part.roots(document), 0
    while stack:
        value, pointer = stack.pop()
        looked_at += 1
        if looked_at + len(stack) > _MOST_LOOKED_AT:
            raise _too_many()
        _refuse_flaw(value, pointer)
        stack += reversed(_suspects(value, pointer))


def _refuse_flaw(value: Any, pointer: str) -> None:
    """Judge a value itself; what it holds is judged in its turn."""
    if isinstance(value, float) and not math.isfinite(value):
        raise _not_finite(value, pointer)
    if isinstance(value, str):
        _refuse_surrogates(value, pointer)
    if isinstance(value, _Members):
        if len(value) != len(value.written):
            raise twice(value.written, pointer)
        for key in value:
            _refuse_surrogates(key, pointer)


def _suspects(value: Any, pointer: str, first: int = 0) -> list[tuple[Any, str]]:
    """What a value holds, in order, except plain finite numbers."""
    if isinstance(value, _Members):
        return [(item, child(pointer, key)) for key, item in value.items()]
    if not isinstance(value, list):
        return []
    found = (
        (item, f"{pointer}/{i}")
        for i, item in enumerate(value, first)
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


def twice(keys: list[str], pointer: str) -> RequestError:
    """The refusal of an object in which a key is more than once."""
    key = Counter(keys).most_common(1)[0][0]
    cell = Cell(child(pointer, key), "twice")
    return RequestError("duplicate-key", f"the same key twice, at {cell.pointer}", cell)
