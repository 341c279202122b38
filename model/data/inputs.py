"""Feature values, and which columns of them may share one scale."""

import re
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from model.data.streams import extremes, runs

# Bytes stay bytes, 47 MB for MNIST instead of 376, and float32 stays float32.
Inputs: TypeAlias = NDArray[np.uint8 | np.float32 | np.float64]

_FEWEST_ALIKE = 16  # columns: the pixels of a 4 x 4 image


def column_kinds(inputs: Inputs, features: Sequence[str] | None) -> NDArray[np.int64]:
    """Number the columns by kind.

    Columns are of one kind when they look like the pixels of an image: at least 16 whose names
    differ in digits only, every value of which is an integer in 0..255, and most of which reach at
    least half of the largest. Scaling each pixel by itself would blow up those that are almost
    always 0. Any other column is its own kind, because x1 and x2 may be in different units.

    Args:
        inputs: (N, D).
        features: D names, or None, which counts as D names differing in digits only.

    Returns:
        (D,), from 0 in order of first appearance.
    """
    groups: dict[str, list[int]] = {}
    for i, name in enumerate(features or [""] * inputs.shape[1]):
        groups.setdefault(re.sub(r"\d+", "", name), []).append(i)

    leader = np.arange(inputs.shape[1])
    bytes_only, largest = holds_bytes(inputs), extremes(inputs).largest
    for columns in groups.values():
        reach = largest[columns]
        alike = np.mean(reach >= reach.max() / 2) >= 0.5
        if len(columns) >= _FEWEST_ALIKE and bytes_only[columns].all() and alike:
            leader[columns] = columns[0]
    return np.unique(leader, return_inverse=True)[1].astype(np.int64)


def holds_bytes(inputs: Inputs) -> NDArray[np.bool_]:
    """For each column, whether every value is an integer in 0..255.

    Args:
        inputs: (N, D).

    Returns:
        (D,).
    """
    result = np.ones(inputs.shape[1], dtype=bool)
    if inputs.dtype == np.uint8:
        return result

    for run in runs(inputs):
        rows = inputs[run]
        result &= ((rows >= 0) & (rows <= 255) & (rows == np.floor(rows))).all(axis=0)
    return result
