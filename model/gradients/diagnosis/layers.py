"""What follows from a delta for the tensors of its layer, with every mistake that can be added.

Everything here takes K deltas at once: (K, N, width).
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays import Floats
from model.gradients.diagnosis.fitting import Fit, Names, Posted, Predictions, Way, fit, stacked
from model.gradients.diagnosis.ways import Factor
from model.gradients.mistakes import sums
from model.gradients.mistakes.mistake import Mistake

_AT_ONCE = 2**18  # numbers that are compared in one go


class Layer(NamedTuple):
    """One layer: what it was fed, what it is made of, and what may be wrong with its source."""

    sources: list[Way]  # (N, width) each, the right one first
    weights: Floats
    biases: Floats
    decay: float
    sizes: list[Factor]  # that a posted delta may have, though the gradients made from it have not
    names: tuple[str, str, str]  # of its delta, and its gradients: weights, biases


class Outcome(NamedTuple):
    """How well the tensors of a layer are explained by the ways that are worth following."""

    ways: NDArray[np.int64]  # which of the K deltas; R of them
    names: list[Names]  # R
    errors: Floats  # (R,), of the worst
    explained: Floats  # (R,), of the worst of those that are explained
    unexplained: list[tuple[str, ...]]  # R


def explain_layer(
    layer: Layer, deltas: Floats, posted: dict[str, Posted], granted: Floats
) -> Outcome:
    """Choose for each delta and each posted tensor of the layer what else went wrong, if anything.

    Most deltas fail at the smallest tensor already. They are left out, unless none of the others
    explains the whole layer.

    Args:
        layer: which.
        deltas: (K, N, width).
        posted: by name; those of other layers are left alone.
        granted: (K,), times the tolerance.
    """
    every = np.arange(len(deltas))
    names = sorted(set(layer.names) & set(posted), key=lambda name: posted[name].value.size)
    if not names:
        return _outcome(layer, every, {})
    smallest, *others = names

    def fits(some: NDArray[np.int64]) -> dict[str, Fit]:
        return {
            name: _fit(layer, name, posted[name], deltas[some], granted[some]) for name in others
        }

    first = _fit(layer, smallest, posted[smallest], deltas, granted)
    promising = np.flatnonzero(first.fits)
    if len(promising):
        outcome = _outcome(layer, promising, {smallest: first.of(promising)} | fits(promising))
        if not all(outcome.unexplained):
            return outcome
    return _outcome(layer, every, {smallest: first} | fits(every))


def _outcome(layer: Layer, ways: NDArray[np.int64], fits: dict[str, Fit]) -> Outcome:
    R = len(ways)
    if not fits:
        return Outcome(ways, [()] * R, np.zeros(R), np.zeros(R), [()] * R)
    found = [(name, fits[name]) for name in layer.names if name in fits]
    errors, fitting = (
        np.array([one.errors for _, one in found]),
        np.array([one.fits for _, one in found]),
    )
    return Outcome(
        ways,
        [
            unique(itertools.chain(*(one.names[k] for _, one in found if one.fits[k])))
            for k in range(R)
        ],
        errors.max(axis=0),
        np.where(fitting, errors, 0).max(axis=0),
        [tuple(name for name, one in found if not one.fits[k]) for k in range(R)],
    )


def unique(names: Iterable[Mistake]) -> Names:
    """In order, each once."""
    return tuple(dict.fromkeys(names))


def _fit(layer: Layer, name: str, posted: Posted, deltas: Floats, granted: Floats) -> Fit:
    delta, weights, _ = layer.names
    if name == delta:
        predictions = _of_any_size(layer, deltas)
    elif name == weights:
        predictions = _weights(layer, deltas)
    else:
        predictions = _biases(layer, deltas, posted.value.shape)
    return fit(posted, predictions, granted)


def _of_any_size(layer: Layer, deltas: Floats) -> Iterator[Predictions]:
    """A posted delta may have another factor than the gradients that were made from it."""
    for sizes in _in_groups([Factor((), 1.0), *layer.sizes], deltas.size):
        values = np.array([size.value for size in sizes])
        yield Predictions([size.names for size in sizes], np.multiply.outer(values, deltas))


def _weights(layer: Layer, deltas: Floats) -> Iterator[Predictions]:
    """source^T delta + factor lambda W, for each source and each size of the decay."""
    decays = [Factor((), 1.0)]
    if layer.decay != 0:
        N = deltas.shape[1]
        decays += [Factor((decay.mistake,), decay.factor(N)) for decay in sums.DECAYS]
    for source in layer.sources:
        product = source.value.T @ deltas
        for sizes in _in_groups(decays, product.size):
            factors = layer.decay * np.array([size.value for size in sizes])
            added = np.multiply.outer(factors, layer.weights)
            yield Predictions(
                [source.names + size.names for size in sizes], product + added[:, None]
            )


def _in_groups(factors: list[Factor], size: int) -> Iterator[list[Factor]]:
    """As many together as make a small array of predictions of so many numbers each."""
    at_once = max(1, _AT_ONCE // size)
    for first in range(0, len(factors), at_once):
        yield factors[first : first + at_once]


def _biases(layer: Layer, deltas: Floats, shape: tuple[int, ...]) -> Iterator[Predictions]:
    """What has the shape and was taken for the sum of delta over the rows; perhaps with decay."""
    ways = [Way((), deltas.sum(axis=1))]
    ways += [
        Way((wrong.mistake,), formula(deltas))
        for wrong in sums.BIASES
        for formula in wrong.formulas
    ]
    ways = [way for way in ways if way.value.shape[1:] == shape]
    if not ways:
        return
    reduced = stacked(ways)
    yield Predictions([way.names for way in ways], reduced)
    if layer.decay != 0 and shape[-1] == len(layer.biases):
        extra = layer.decay * layer.biases
        yield Predictions([(*way.names, sums.DECAY_ON_BIASES) for way in ways], reduced + extra)
