"""Labels of very many rows, as class indices of a byte each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.arrays import Labels
from model.data.labels import EncodedLabels, Label, Locate, encode_labels, find_labels
from model.data.streams import runs


def encode_numbers(y: NDArray[Any], locate: Locate, known: Sequence[Label] | None) -> EncodedLabels:
    """`encode_labels`, or with known classes `find_labels`, for an array of numbers.

    It holds no label as a Python object, but the distinct ones.

    Args:
        y: (N,), booleans, integers or floats.
        locate: where the label with a given index stands, for messages.
        known: C classes of a model, or None.

    Raises:
        DatasetError: as from those.
    """
    seen: dict[Label, int] = {}  # and where first
    for run in runs(y):
        values, first = np.unique(y[run], return_index=True)
        for value, row in zip(values.tolist(), first.tolist(), strict=True):
            seen.setdefault(_plain(value), run.start + row)
    distinct = sorted(seen, key=seen.__getitem__)

    def place(i: int) -> str:
        return locate(seen[distinct[i]])

    found = encode_labels(distinct, place) if known is None else find_labels(distinct, known, place)
    order = np.argsort(distinct)
    values, codes = np.array(distinct)[order], found.indices[order]
    indices: Labels = np.empty(len(y), np.uint8 if len(found.classes) <= 256 else np.int64)
    for run in runs(y):
        indices[run] = codes[np.searchsorted(values, y[run])]
    return EncodedLabels(found.classes, indices)


def _plain(value: Label) -> Label:
    """A truth value is 0 or 1, as in a list of labels."""
    return int(value) if isinstance(value, bool) else value
