"""Arrays that may be larger than memory: a memory-mapped file, read some rows at a time.

What was read from a file stays in memory until somebody else needs the room, and is counted as
ours until then. So every run of rows is let go of once it has been used.
"""

import mmap
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_RUN = 2**20  # bytes


class Extremes(NamedTuple):
    """Of every column."""

    least: NDArray[Any]  # (D,)
    largest: NDArray[Any]  # (D,)


def is_mapped(array: NDArray[Any]) -> bool:
    """Whether its contents are in a file and not in memory."""
    return _mapping(array) is not None


def runs(array: NDArray[Any]) -> Iterator[slice]:
    """Cut an array (N, ...) into runs of rows. After each, what was read of a file is let go."""
    rows = max(1, _RUN * len(array) // max(1, array.nbytes))
    for start in range(0, len(array), rows):
        yield slice(start, start + rows)
        let_go(array)


def let_go(array: NDArray[Any]) -> None:
    """Take what was read of a file out of memory; the file, and the array, stay as they are."""
    mapping = _mapping(array)
    if mapping is not None:
        mapping.madvise(mmap.MADV_DONTNEED)


def extremes(inputs: NDArray[Any]) -> Extremes:
    """Least and largest of every column of (N, D), N at least 1."""
    found = [(inputs[rows].min(axis=0), inputs[rows].max(axis=0)) for rows in runs(inputs)]
    least, largest = zip(*found, strict=True)
    return Extremes(np.min(least, axis=0), np.max(largest, axis=0))


def _mapping(array: NDArray[Any]) -> mmap.mmap | None:
    """The mapping that an array is a view of."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None
