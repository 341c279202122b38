"""Batches of files through a model: what several commands do with their data."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from model import Classifier, Floats, InvalidInputError, load_classifier
from model.data import Features, read_features, read_labels
from model.training import evaluate_logits

_BLOCK = 4096  # rows in memory at a time, in float64

Answer = TypeVar("Answer")


def read_inputs(classifier: Classifier, data: str) -> Features:
    """(N, D) features of a file, in the order the model wants them.

    Raises:
        DatasetError: they do not fit, or cannot be read.
    """
    names = classifier.metadata["features"]
    return read_features(data, None if names is None else tuple(names), classifier.features)


def target_of(classifier: Classifier) -> str | None:
    """The column of classes that the model was trained on; None where it had no name."""
    column = classifier.metadata["data"].get("target")
    return column if isinstance(column, str) else None


def in_blocks(features: Features, answer: Callable[[Floats], Answer]) -> Iterator[Answer]:
    """What `answer` makes of the rows as float64, some thousand at a time.

    Raises:
        InvalidInputError: of `answer`, naming the file and the row of the file.
    """
    for start in range(0, len(features.inputs), _BLOCK):
        with naming_rows(features, start):
            found = answer(features.inputs[start : start + _BLOCK].astype(np.float64))
        yield found


@contextmanager
def naming_rows(features: Features, start: int = 0) -> Iterator[None]:
    """What the model says of a row of a block, said of the row of the file.

    Args:
        features: of the whole file.
        start: which of its rows is the first of the block.

    Raises:
        InvalidInputError: naming the file and the row.
    """
    try:
        yield
    except InvalidInputError as error:
        if error.row is None:
            raise
        where = features.locate(start + error.row)
        raise InvalidInputError(error.reason, f"{where}: {error.detail}") from None


def score(model: Path, data: str, target: str | None) -> dict[str, Any]:  # Any: JSON
    """What `softlens evaluate` reports.

    Raises:
        ArtifactError: the model is not sound.
        DatasetError: the data cannot be read or does not fit the model.
        InvalidInputError: the logits of a row overflow.
    """
    classifier = load_classifier(model)
    classes = classifier.metadata["classes"]
    labels = read_labels(data, classes, target, target_of(classifier))
    features = read_inputs(classifier, data)

    logits = np.concatenate(list(in_blocks(features, lambda block: classifier.trace(block).z2)))
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(confusion, (labels, logits.argmax(axis=1)), 1)
    return {
        "model": classifier.metadata["name"],
        "rows": len(labels),
        **evaluate_logits(logits, labels),
        "classes": classes,
        "confusion_matrix": confusion.tolist(),
    }
