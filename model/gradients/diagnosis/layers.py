"""What follows from a delta for the tensors of its layer, with every mistake that can be added.

Everything here takes K deltas at once: (K, N, width).
"""

import itertools
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays import Floats
from model.gradients.diagnosis.fitting import Fit, Names, Posted, Way, fit
from model.gradients.mistakes import sums
from model.gradients.mistakes.mistake import Mistake


class Layer(NamedTuple):
    """One layer: what it was fed, what it is made of, and what may be wrong with its source."""

    sources: list[Way]  # (N, width) each, the right one first
    weights: Floats
    biases: Floats
    decay: float
    names: tuple[str, str, str]  # of its delta, and its gradients: weights, biases


class Outcome(NamedTuple):
    """For each of K ways, how well the tensors of a layer are explained."""

    names: list[Names]
    fitted: NDArray[np.int64]  # (K,), how many tensors
    errors: Floats  # (K,), of the worst
    explained: Floats  # (K,), of the worst of those that are explained
    unexplained: list[tuple[str, ...]]


def explain_layer(
    layer: Layer,
    deltas: Floats,
    posted: dict[str, Posted],
    of_delta: list[Way],
    granted: Floats,
) -> Outcome:
    """Choose for each delta and each posted tensor of the layer what else went wrong, if anything.

    Args:
        layer: which.
        deltas: (K, N, width).
        posted: by name; those of other layers are left alone.
        of_delta: predictions of the delta itself, should it have been posted.
        granted: (K,), times the tolerance.
    """
    delta, weights, biases = layer.names
    fits: dict[str, Fit] = {}
    if delta in posted:
        fits[delta] = fit(posted[delta], of_delta, granted)
    if weights in posted:
        fits[weights] = fit(posted[weights], _weights(layer, deltas), granted)
    if biases in posted:
        fits[biases] = fit(posted[biases], _biases(layer, deltas), granted)
    return _outcome(fits, len(deltas))


def _outcome(fits: dict[str, Fit], K: int) -> Outcome:
    if not fits:
        return Outcome([()] * K, np.zeros(K, np.int64), np.zeros(K), np.zeros(K), [()] * K)
    names = [
        unique(
            itertools.chain.from_iterable(
                found.names[k] for found in fits.values() if found.fits[k]
            )
        )
        for k in range(K)
    ]
    unexplained = [
        tuple(name for name, found in fits.items() if not found.fits[k]) for k in range(K)
    ]
    return Outcome(
        names,
        np.sum([found.fits for found in fits.values()], axis=0),
        np.max([found.errors for found in fits.values()], axis=0),
        np.max([np.where(found.fits, found.errors, 0) for found in fits.values()], axis=0),
        unexplained,
    )


def unique(names: Iterable[Mistake]) -> Names:
    """In order, each once."""
    return tuple(dict.fromkeys(names))


def _weights(layer: Layer, deltas: Floats) -> list[Way]:
    """source^T delta + factor lambda W, for each source and each size of the decay."""
    products = [Way(source.names, source.value.T @ deltas) for source in layer.sources]
    if layer.decay == 0:
        return products
    N = deltas.shape[1]
    decays: list[tuple[Names, float]] = [((), 1.0)]
    decays += [((found.mistake,), found.factor(N)) for found in sums.DECAYS]
    return [
        Way(product.names + names, product.value + factor * layer.decay * layer.weights)
        for product in products
        for names, factor in decays
    ]


def _biases(layer: Layer, deltas: Floats) -> list[Way]:
    """The sum of delta over the rows, or what was taken for it; perhaps with decay."""
    reduced = [Way((), deltas.sum(axis=1))]
    reduced += [
        Way((wrong.mistake,), formula(deltas))
        for wrong in sums.BIASES
        for formula in wrong.formulas
    ]
    if layer.decay == 0:
        return reduced
    extra = layer.decay * layer.biases
    return reduced + [
        Way((*way.names, sums.DECAY_ON_BIASES), way.value + extra)
        for way in reduced
        if way.value.shape[-1] == len(extra)
    ]
