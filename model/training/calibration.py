"""Whether probabilities mean what they say, and the one number that makes them do so."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.arrays import Float64s, Floats, Labels

ECE_BINS = 15
_BLOCK = 2**15  # rows in float64 at a time
_COLDEST, _HOTTEST = 0.02, 50.0
_CLOSE = 1e-6  # relative; Newton squares what is off, so after such a step hardly 1e-12 is


def fit_temperature(logits: Floats, labels: Labels, start: float = 1.0) -> float:
    """The temperature T for which softmax(logits / T) gives held-out labels the least loss.

    Newton's method on 1/T, in which the loss is convex. The targets are smoothed by 1/(N + 1),
    as if one more row were spread over all classes: that keeps T away from 0 when every held-out
    row is right (the idea of Platt 1999).

    Args:
        logits: (N, C) of rows that were not trained on.
        labels: (N,), class indices from 0.
        start: where to begin, in [0.02, 50]; nearer is quicker.

    Returns:
        T in [0.02, 50]; 1 when there are no rows.

    Source: docs/mathematics.md, equation 26; Guo et al. 2017.
    """
    if not len(labels):
        return 1.0
    return HeldOut(logits, labels).temperature(start)


class HeldOut:
    """Logits and labels that were not trained on, as it is quick to look at them again and again.

    z is transposed, (C, n), because there are few classes and many rows; in float64; and less each
    row's largest, which changes no loss. Of many rows it is made anew each time, to save memory.
    """

    def __init__(self, logits: Floats, labels: Labels) -> None:
        self.logits, self.labels = logits, labels
        self._kept = list(self._made()) if len(labels) <= _BLOCK else None

    def temperature(self, start: float) -> float:
        """See `fit_temperature`."""
        share, sums = 1 / (len(self.labels) + 1), 0.0
        for z, own in self._blocks():
            sums += (1 - share) * float(own.sum()) + share * float(z.sum()) / len(z)
        target = sums / len(self.labels)

        inverse = 1 / start
        for _ in range(50):
            slope, curvature = self._slope_and_curvature(inverse)
            step = (slope - target) / max(curvature, 1e-12)
            # At most a doubling or halving at a time: far from the minimum Newton overshoots.
            moved = min(max(inverse - step, inverse / 2), inverse * 2)
            moved = min(max(moved, 1 / _HOTTEST), 1 / _COLDEST)
            last, inverse = inverse, moved
            if abs(inverse - last) <= _CLOSE * inverse:
                break
        return 1 / inverse

    def loss(self, temperature: float) -> float:
        """Mean cross-entropy of softmax(logits / T), in nats."""
        total = 0.0
        for z, own in self._blocks():
            sums = np.add.reduce(np.exp(z / temperature), axis=0)
            total += float(np.log(sums).sum() - own.sum() / temperature)
        return total / len(self.labels)

    def _slope_and_curvature(self, inverse: float) -> tuple[float, float]:
        """Derivatives of the mean of logsumexp(z / T) by 1/T: a mean and a variance of z."""
        slope, curvature = 0.0, 0.0
        for z, _ in self._blocks():
            p = np.exp(inverse * z)
            p /= np.add.reduce(p, axis=0)
            p *= z
            mean = np.add.reduce(p, axis=0)
            slope += float(mean.sum())
            curvature += float(np.vdot(p, z) - np.dot(mean, mean))
        return slope / len(self.labels), curvature / len(self.labels)

    def _blocks(self) -> Iterable[tuple[Float64s, Float64s]]:
        return self._made() if self._kept is None else self._kept

    def _made(self) -> Iterator[tuple[Float64s, Float64s]]:
        """The z of some rows, (C, n), and of it the entries of the labels, (n,)."""
        for rows in blocks(self.labels):
            z = self.logits[rows].T.astype(np.float64, order="C")
            z -= np.maximum.reduce(z, axis=0)
            yield z, z[self.labels[rows], np.arange(z.shape[1])]


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
