"""The usual body, an object with one matrix and nothing else, read in the fewest steps.

What is not certain to be right is left alone: questions.py reads it anew and finds the words.
"""

import threading

import simdjson

from app.codecs.documents import Value, is_array
from app.codecs.rows import Batch, Limits, is_below, quickly

_LARGEST = 2**20  # bytes of a text after which a parser is kept, with its memory


class _Parsers(threading.local):
    """A parser for each thread: a new one for every body would be given fresh memory each time."""

    def __init__(self) -> None:
        self.parser = simdjson.Parser()


_parsers = _Parsers()


def plain_batch(body: bytes, field: str, limits: Limits, largest: float) -> Batch | None:
    """The rows of a body that holds nothing else; None where that is not certain.

    Args:
        body: JSON.
        field: the key that holds the rows.
        limits: within which it has to be.
        largest: magnitude that every number lies below.
    """
    if len(body) > _LARGEST or body[:1] != b"{":
        return None
    try:
        # Of what it parses nothing is kept here, so that the next text may take its place.
        document: Value = _parsers.parser.parse(body)
        if len(document) != 1:
            return None
        value = document[field]
        matrix = quickly(value, body)
        flat = len(value) != 1 or not is_array(value[0])
    except (KeyError, TypeError, ValueError, RuntimeError):  # to be told by those who look closer
        return None
    if matrix is None or matrix.size > limits.cells or len(matrix) > limits.rows:
        return None
    if not is_below(matrix, largest):
        return None
    return Batch(matrix, field, flat and len(matrix) == 1)
