"""What every format is read into, and the checks that do not depend on the format."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays import Labels
from model.data.coded import encode_numbers
from model.data.inputs import Inputs, column_kinds
from model.data.labels import Classes, Label, Locate, encode_labels, find_labels
from model.data.streams import extremes
from model.errors import DatasetError


class Dataset(NamedTuple):
    """Rows of features, each with its class."""

    inputs: Inputs  # (N, D) finite; bytes and float32 as the source has them, else float64
    labels: Labels  # (N,) class indices from 0
    classes: Classes  # C distinct label values, sorted; at least 2
    features: tuple[str, ...] | None  # D names; None when the source has none
    kinds: NDArray[np.int64]  # (D,) equal where columns share one scale, see column_kinds
    source: str  # the name of the file that was read, without its folder
    target: str | None = None  # the column that held the labels, where columns have names


class Features(NamedTuple):
    """Rows to predict from, and where a person finds each of them."""

    inputs: Inputs  # (N, D) finite, N at least 1
    locate: Locate  # the file and the row of an index


class Unlabelled(NamedTuple):
    """The features of a dataset before its labels are understood."""

    inputs: Inputs  # (N, D)
    features: tuple[str, ...] | None  # D names
    source: str


def with_labels(
    rows: Unlabelled,
    raw: Sequence[Label] | NDArray[Any],
    locate: Locate,
    known: Sequence[Label] | None = None,
) -> Dataset:
    """Join features and raw labels to something that can be trained on, or evaluated.

    Args:
        rows: the features, (N, D).
        raw: N labels as the file holds them; an array of numbers where there are very many.
        locate: where the label with a given index stands, for messages.
        known: the classes of a model; None to find them, of which training needs two.

    Raises:
        DatasetError: a label that cannot be used or is not known; to train on, fewer than 2 rows
            or 2 classes.
    """
    fewest = 2 if known is None else 1
    if len(raw) < fewest:
        raise DatasetError(
            f"{rows.source}: expected at least {fewest} rows of data, found {len(raw)}; add rows"
        )

    if isinstance(raw, np.ndarray):
        encoded = encode_numbers(raw, locate, known)
    else:
        encoded = encode_labels(raw, locate) if known is None else find_labels(raw, known, locate)
    classes, indices = encoded
    if len(classes) < 2:
        raise DatasetError(
            f"{rows.source}: expected at least 2 classes, found only {classes[0]!r:.60} in all "
            f"{len(raw)} rows; add rows of another class or name another target"
        )

    kinds = column_kinds(rows.inputs, rows.features)
    return Dataset(rows.inputs, indices, classes, rows.features, kinds, rows.source)


def constant_columns(dataset: Dataset) -> list[int]:
    """Columns that are the same in every row, so that nothing can be learnt from them.

    Not those that share their scale with columns that vary: the rim of an image is often blank.
    """
    least, largest = extremes(dataset.inputs)
    varies = least != largest
    members = np.unique(dataset.kinds, return_inverse=True)[1]
    kind_varies = np.bincount(members, varies) > 0
    return np.flatnonzero(~kind_varies[members]).tolist()
