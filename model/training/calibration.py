"""Whether probabilities mean what they say, and the one number that makes them do so."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.arrays import Float64s, Floats, Labels
from model.functions import softmax

ECE_BINS = 15
_BLOCK = 2**15  # rows in float64 at a time
_COLDEST, _HOTTEST = 0.02, 50.0


def fit_temperature(logits: Floats, labels: Labels) -> float:
    """The temperature T for which softmax(logits / T) gives held-out labels the least loss.

    Newton's method on 1/T, in which the loss is convex. The targets are smoothed by 1/(N + 1),
    as if one more row were spread over all classes: that keeps T away from 0 when every held-out
    row is right (the idea of Platt 1999).

    Args:
        logits: (N, C) of rows that were not trained on.
        labels: (N,), class indices from 0.

    Returns:
        T in [0.02, 50]; 1 when there are no rows.

    Source: docs/mathematics.md, equation 26; Guo et al. 2017.
    """
    if not len(labels):
        return 1.0
    share, sums = 1 / (len(labels) + 1), 0.0
    for rows in blocks(labels):
        z, own = logits[rows].astype(np.float64), labels[rows]
        sums += float(((1 - share) * z[np.arange(len(z)), own] + share * z.mean(axis=1)).sum())
    target = sums / len(labels)

    inverse = 1.0
    for _ in range(50):
        slope, curvature = _slope_and_curvature(logits, target, inverse)
        step = slope / max(curvature, 1e-12)
        # At most a doubling or halving at a time: far from the minimum Newton overshoots.
        moved = float(np.clip(inverse - step, inverse / 2, inverse * 2))
        moved = min(max(moved, 1 / _HOTTEST), 1 / _COLDEST)
        if abs(moved - inverse) <= 1e-12 * inverse:
            break
        inverse = moved
    return 1 / inverse


def _slope_and_curvature(logits: Floats, target: float, inverse: float) -> tuple[float, float]:
    """First and second derivative of the loss by 1/T: a mean and a variance of the logits."""
    slope, curvature = 0.0, 0.0
    for rows in blocks(logits):
        z = logits[rows].astype(np.float64)
        p = softmax(inverse * z)
        mean = (p * z).sum(axis=1)
        slope += float(mean.sum())
        curvature += float((p * np.square(z - mean[:, None])).sum())
    return slope / len(logits) - target, curvature / len(logits)


def blocks(rows: NDArray[Any]) -> list[slice]:
    """Cut (N, ...) rows, of which there may be millions, into as many as are worked on at once."""
    return [slice(start, start + _BLOCK) for start in range(0, len(rows), _BLOCK)]


def expected_calibration_error(probabilities: Floats, labels: Labels) -> float:
    """Mean gap between confidence and accuracy, over 15 equal-width bins of the confidence.

    Args:
        probabilities: (N, C), N at least 1.
        labels: (N,), class indices from 0.

    Returns:
        In [0, 1]; 0 is perfect.

    Source: docs/mathematics.md, equation 29; Guo et al. 2017, equation 3.
    """
    gaps = np.zeros(ECE_BINS)
    for rows in blocks(labels):
        gaps += _gaps(probabilities[rows], labels[rows])
    return float(np.abs(gaps).sum() / len(labels))


def _gaps(probabilities: Floats, labels: Labels) -> Float64s:
    """What the rows of each bin are right more often than they say, summed."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = (probabilities.argmax(axis=1) == labels).astype(np.float64)

    # Bins are open on the left, as in the source: a confidence of 1 belongs to the last one.
    edges = np.linspace(0, 1, ECE_BINS + 1)
    bins = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, ECE_BINS - 1)
    return np.bincount(bins, right - confidence, minlength=ECE_BINS).astype(np.float64)
