"""What an artifact says about itself: where it came from and how well it does."""

import dataclasses
import hashlib
import platform
from typing import Any

import numpy as np

from model import __version__
from model.arrays import Float32s, Labels
from model.artifact import Metadata
from model.data import Dataset, runs
from model.functions import cross_entropy, softmax
from model.training.calibration import blocks, expected_calibration_error
from model.training.plan import Plan


def describe(dataset: Dataset, plan: Plan, name: str) -> Metadata:
    """The metadata that is known before training."""
    target = {} if dataset.target is None else {"target": dataset.target}
    return {
        "name": name,
        "classes": list(dataset.classes),
        "features": None if dataset.features is None else list(dataset.features),
        "activation": plan.activation,
        "seed": plan.seed,
        "training": dataclasses.asdict(plan),
        "data": {
            "source": dataset.source,
            "rows": len(dataset.labels),
            "sha256": _fingerprint(dataset),
            **target,
        },
        "versions": {
            "softlens": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def measure(logits: Float32s, labels: Labels) -> dict[str, Any]:  # Any: numbers and null
    """Accuracy, log-loss in nats and expected calibration error on the held-out rows.

    Args:
        logits: (N, C), already divided by the temperature.
        labels: (N,), class indices from 0.
    """
    scores = evaluate_logits(logits, labels) if len(labels) else {}
    return {"validation": {"rows": len(labels), **scores}}


def evaluate_logits(logits: Float32s, labels: Labels) -> dict[str, float]:
    """Accuracy, log-loss in nats and expected calibration error of at least one row."""
    correct, loss = 0, 0.0
    for rows in blocks(labels):
        correct += int(np.count_nonzero(logits[rows].argmax(axis=1) == labels[rows]))
        loss += cross_entropy(logits[rows], labels[rows]) * len(labels[rows])
    return {
        "accuracy": correct / len(labels),
        "log_loss": loss / len(labels),
        "ece": expected_calibration_error(softmax(logits), labels),
    }


def _fingerprint(dataset: Dataset) -> str:
    digest = hashlib.sha256()
    for run in runs(dataset.inputs):
        digest.update(np.ascontiguousarray(dataset.inputs[run]).data)
    for run in runs(dataset.labels):
        digest.update(dataset.labels[run].astype(np.int64).data)
    return digest.hexdigest()
