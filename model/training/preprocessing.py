"""Standardised features, and rows set aside for validation."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays import Float32s, Float64s, Labels

_BLOCK = 4096  # rows standardised at a time, so that float64 copies stay small


class Standardisation(NamedTuple):
    """x' = (x - mean) / scale, column by column."""

    mean: Float64s  # (D,)
    scale: Float64s  # (D,), positive
    constant: NDArray[np.bool_]  # (D,), columns that never varied


def fit_standardisation(inputs: NDArray[Any], kinds: Labels) -> Standardisation:
    """Mean of every column, and one scale for all columns of one kind.

    A scale of its own would blow up the pixels at the rim of an image, which hardly ever vary.
    A kind that never varies gets scale 1, so that nothing is divided by 0.

    Args:
        inputs: (N, D), of numbers whose squares are finite; any numeric dtype.
        kinds: (D,), equal numbers for columns of one kind.

    Source: docs/mathematics.md, equation 27.
    """
    mean = inputs.mean(axis=0, dtype=np.float64)
    constant = inputs.min(axis=0) == inputs.max(axis=0)
    # Rounding of the mean would leave a constant column a variance that is not quite 0.
    variance = np.where(constant, 0.0, _variance(inputs, mean))
    members = np.unique(kinds, return_inverse=True)[1]
    scale = np.sqrt(np.bincount(members, variance) / np.bincount(members))[members]
    scale[scale == 0] = 1.0
    return Standardisation(mean, scale, constant)


def _variance(inputs: NDArray[Any], mean: Float64s) -> Float64s:
    total = np.zeros_like(mean)
    for start in range(0, len(inputs), _BLOCK):
        total += np.square(inputs[start : start + _BLOCK] - mean).sum(axis=0)
    return total / len(inputs)


def standardise(inputs: NDArray[Any], by: Standardisation) -> Float32s:
    """(N, D) features as float32 of mean 0 and about unit variance.

    The subtraction is made in float64: features far from zero (years, timestamps) would lose
    their digits in float32.
    """
    result = np.empty(inputs.shape, np.float32)
    for start in range(0, len(inputs), _BLOCK):
        block = slice(start, start + _BLOCK)
        result[block] = (inputs[block] - by.mean) / by.scale
    return result


class Split(NamedTuple):
    """Row numbers of the two parts, each in increasing order."""

    training: Labels
    validation: Labels


def stratified_split(labels: Labels, share: float, rng: np.random.Generator) -> Split:
    """Set aside the same share of every class, as nearly as whole rows allow.

    Args:
        labels: (N,), class indices from 0.
        share: of the rows, in [0, 1); every class keeps at least one row for training.
        rng: decides which rows.
    """
    classes, counts = np.unique(labels, return_counts=True)
    held_out = np.floor(share * counts).astype(np.int64)
    # The rows that rounding down left over go to the classes it took the most from.
    missing = round(share * len(labels)) - held_out.sum()
    held_out[np.argsort(held_out - share * counts, kind="stable")[:missing]] += 1
    held_out = np.minimum(held_out, counts - 1)

    chosen = [
        rng.permutation(np.flatnonzero(labels == label))[:number]
        for label, number in zip(classes, held_out, strict=True)
    ]
    validation = np.sort(np.concatenate(chosen))
    return Split(np.setdiff1d(np.arange(len(labels)), validation), validation)
