"""Large arrays to JSON, in pieces: a writer, too, does all of its work in one go."""

from typing import TypeAlias

import orjson

from model import Floats

_PIECE = 2**16  # numbers, some milliseconds

Writable: TypeAlias = Floats | orjson.Fragment


def writable(values: Floats) -> Writable:
    """An array as orjson writes it: itself, or if it is large, already written.

    Args:
        values: of any shape, C-contiguous.
    """
    return values if values.size <= _PIECE else orjson.Fragment(written_json(values))


def written_json(values: Floats) -> bytes:
    """An array as JSON. values: of any shape, C-contiguous."""
    if values.size <= _PIECE:
        return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)
    return b"".join(_pieces(values))


def _pieces(values: Floats) -> list[bytes]:
    if values.size <= _PIECE:
        return [orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)]
    size = values[0].size
    if size > _PIECE:
        parts = [_pieces(row) for row in values]
    else:
        step = max(1, _PIECE // max(1, size))
        blocks = (values[i : i + step] for i in range(0, len(values), step))
        parts = [[orjson.dumps(block, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]] for block in blocks]
    found = [b"["]
    for part in parts:
        found += [*part, b","]
    found[-1] = b"]"
    return found
