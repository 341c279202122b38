"""Batches of files through a model: what several commands do with their data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import Classifier, Floats, load_classifier
from model.data import read_dataset, read_features
from model.training import evaluate_logits

_BLOCK = 4096  # rows in memory at a time, in float64


def read_inputs(classifier: Classifier, data: str) -> NDArray[Any]:  # Any: uint8 or float64
    """(N, D) features of a file, in the order the model wants them.

    Raises:
        DatasetError: they do not fit, or cannot be read.
    """
    names = classifier.metadata["features"]
    return read_features(data, None if names is None else tuple(names), classifier.features)


def blocks(inputs: NDArray[Any]) -> Iterator[Floats]:
    """The rows as float64, some thousand at a time."""
    for start in range(0, len(inputs), _BLOCK):
        yield inputs[start : start + _BLOCK].astype(np.float64)


def score(model: Path, data: str, target: str | None) -> dict[str, Any]:  # Any: JSON
    """What `softlens evaluate` reports.

    Raises:
        ArtifactError: the model is not sound.
        DatasetError: the data cannot be read or does not fit the model.
    """
    classifier = load_classifier(model)
    classes = classifier.metadata["classes"]
    labels = read_dataset(data, target, known=classes).labels
    inputs = read_inputs(classifier, data)

    logits = np.concatenate([classifier.trace(block).z2 for block in blocks(inputs)])
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(confusion, (labels, logits.argmax(axis=1)), 1)
    return {
        "model": classifier.metadata["name"],
        "rows": len(labels),
        **evaluate_logits(logits, labels),
        "classes": classes,
        "confusion_matrix": confusion.tolist(),
    }
