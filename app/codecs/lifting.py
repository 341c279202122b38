"""The numbers of a large body, read in pieces.

A parser reads a text in one go, and nothing else of the process runs meanwhile: tenths of a second
for millions of numbers. Therefore the one long array of a large body is cut out of it and read some
hundred kilobytes at a time. docs/decisions/0004-json.md has the measurements.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from app.codecs.flaws import Piece, place_after
from app.errors import Cell, RequestError
from model import Float64s

_LARGE = 2**21  # bytes of a body, beyond which it is read in pieces
_PIECE = 2**18  # bytes, some milliseconds
_LONG = 2**18  # bytes of an array that is cut out

# Brackets and what numbers are made of. Nothing in it nests but by brackets, so that it can be cut
# after any of them without knowing what stands before.
_OF_NUMBERS = b"-+.,[]0123456789eE \t\r\n"
_BLANK = re.compile(rb"[ \t\r\n]*")

# Reads one piece: rows, all as long as the first; or one row of a piece of it.
Read = Callable[[bytes, Piece], Float64s]


class Lifted(NamedTuple):
    """A body without its long array."""

    body: bytes
    start: int  # of the array
    stop: int
    mark: str  # the key of the object that stands in its place

    @property
    def skeleton(self) -> bytes:
        """The body with a short object where the array was."""
        return self.body[: self.start] + self._stand_in + self.body[self.stop :]

    @property
    def _stand_in(self) -> bytes:
        return b'{"%s":0}' % self.mark.encode()

    def place(self, position: int) -> str:
        """A position in the skeleton, in the words for one in the body."""
        before = self.body[: self.start].decode()
        if position <= len(before):
            return place_after(before[:position])
        behind = position - len(before) - len(self._stand_in)
        return place_after(
            self.body[: self.stop].decode() + self.body[self.stop :].decode()[:behind]
        )

    def roots(self, document: Any) -> list[tuple[Any, str]]:
        """The skeleton's value, and where it stands."""
        return [(document, "")]


def lift(body: bytes) -> Lifted | None:
    """Find the long array of a large body; None where there is none, or anything more."""
    if len(body) <= _LARGE:
        return None
    found = [_array_in(body, *run) for run in _runs(body)]
    long = [(start, stop) for start, stop in found if stop - start >= _LONG]
    if len(long) != 1 or not _is_matrix(body, *long[0]):
        return None
    return Lifted(body, *long[0], secrets.token_hex(8))


def _runs(body: bytes) -> Iterator[tuple[int, int]]:
    """From where to where there is nothing but numbers and brackets, for long.

    Looked at block by block, each in a moment: an expression that is looked for in all of the body
    would hold the interpreter for tenths of a second. A long run has a block to itself.
    """
    size, stop = _LONG // 2, 0
    for start in range(0, len(body), size):
        if start < stop or body[start : start + size].strip(_OF_NUMBERS):
            continue
        before = body[max(stop, start - size) : start]
        begin = start - (len(before) - len(before.rstrip(_OF_NUMBERS)))
        stop = start
        while stop < len(body):
            block = body[stop : stop + size]
            rest = len(block.lstrip(_OF_NUMBERS))
            stop += len(block) - rest
            if rest:
                break
        yield begin, stop


def _array_in(body: bytes, start: int, stop: int) -> tuple[int, int]:
    """From the first bracket that opens there to the last one that closes; empty if none does."""
    first = body.find(b"[", start, stop)
    return (first, body.rfind(b"]", first, stop) + 1) if first >= 0 else (stop, stop)


def _is_matrix(body: bytes, start: int, stop: int) -> bool:
    """Whether brackets open and close rows side by side, and not within each other."""
    inner = np.frombuffer(body, np.uint8, stop - start - 2, start + 1)
    brackets = inner[(inner == ord("[")) | (inner == ord("]"))]
    rows_open, rows_close = brackets[::2] == ord("["), brackets[1::2] == ord("]")
    return len(brackets) % 2 == 0 and bool(rows_open.all() and rows_close.all())


class Numbers:
    """A long array of numbers, or of rows of numbers, that was cut out of a body.

    It has the length of an array, and a first element, to be judged like one before it is read.
    """

    def __init__(self, lifted: Lifted, path: str) -> None:
        self.mark = lifted.mark  # the key of the object that stands in its place
        self._body, self._start, self._stop = lifted.body, lifted.start + 1, lifted.stop - 1
        self._pointer = f"/{path}"
        opened = _BLANK.match(self._body, self._start)
        self._nested = opened is not None and self._body[opened.end()] == ord("[")

    def __len__(self) -> int:
        if self._nested:
            return self._body.count(b"[", self._start, self._stop)
        return self._body.count(b",", self._start, self._stop) + 1

    def __getitem__(self, _index: int) -> object:
        return [] if self._nested else 0.0

    def matrix(self, read: Read) -> Float64s:
        """All numbers, (N, W); a flat array is a matrix of one row.

        Raises:
            RequestError: malformed-json, wrong-rank, wrong-width or ragged-rows, or what `read`
                refuses.
        """
        if not self._nested:
            return self._row(self._start, self._stop, self._pointer, read)[None, :]
        matrix, row = None, 0
        for start, stop in self._cuts(b"]", self._start, self._stop):
            width = None if matrix is None else matrix.shape[1]
            part = self._rows(
                start, stop, Piece(self._body, start - 1, self._pointer, row, width), read
            )
            if matrix is None:
                matrix = np.empty((len(self), part.shape[1]))
            if part.shape[1] != matrix.shape[1]:
                raise self._ragged(matrix.shape[1], part.shape[1], row)
            matrix[row : row + len(part)] = part
            row += len(part)
        assert matrix is not None  # noqa: S101  there is at least one piece
        return matrix

    def _ragged(self, expected: int, found: int, row: int) -> RequestError:
        detail = f"expected {expected} numbers as in row 0, got {found} in row {row}"
        return RequestError("ragged-rows", detail, Cell(f"{self._pointer}/{row}", detail))

    def _rows(self, start: int, stop: int, piece: Piece, read: Read) -> Float64s:
        """Some whole rows."""
        inner = _BLANK.match(self._body, start)
        long = stop - start > 2 * _PIECE and self._body.count(b"[", start, stop) == 1
        if long and inner is not None and self._body[inner.end()] == ord("["):
            pointer = f"{self._pointer}/{piece.first}"
            end = self._body.rfind(b"]", start, stop)
            return self._row(inner.end() + 1, end, pointer, read)[None, :]
        return self._read(start, stop, piece, read)

    def _row(self, start: int, stop: int, pointer: str, read: Read) -> Float64s:
        """One long row."""
        row, filled = np.empty(self._body.count(b",", start, stop) + 1), 0
        for begin, end in self._cuts(b",", start, stop):
            piece = Piece(self._body, begin - 1, pointer, filled)
            (part,) = self._read(begin, end, piece, read)
            row[filled : filled + len(part)] = part
            filled += len(part)
        return row

    def _read(self, start: int, stop: int, piece: Piece, read: Read) -> Float64s:
        text = b"[%s]" % self._body[start:stop]
        if text[1:-1].isspace() or stop <= start:
            place = piece.place(1)
            raise RequestError("malformed-json", f"not JSON: Expecting value at {place}")
        return read(text, piece)

    def _cuts(self, end: bytes, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Pieces of what lies between, each up to the end of a number or of a row."""
        while True:
            cut = self._body.find(end, start + _PIECE, stop)
            cut = stop if cut < 0 else cut + (end == b"]")
            comma = _BLANK.match(self._body, cut, stop)
            after = cut if comma is None else comma.end()
            if after >= stop:
                yield start, stop
                return
            if self._body[after] != ord(","):
                place = Piece(self._body, 0, "", 0).place(after)
                raise RequestError(
                    "malformed-json", f"not JSON: Expecting ',' delimiter at {place}"
                )
            yield start, cut
            start = after + 1
