"""Standardised features, and rows set aside for validation."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays import Float32s, Float64s, Labels
from model.data import runs
from model.network import Parameters
from model.training.rows import Pool, Scaling

_BLOCK = 4096  # rows standardised at a time, so that float64 copies stay small
_SPLIT_TOGETHER = 2**18  # rows
_FEW = 2**18  # numbers that stay in the second cache as float32, where bytes would save nothing


class Standardisation(NamedTuple):
    """x' = (x - mean) / scale, column by column."""

    mean: Float64s  # (D,)
    scale: Float64s  # (D,), positive
    constant: NDArray[np.bool_]  # (D,), columns that never varied


def fit_standardisation(
    inputs: NDArray[Any], kinds: Labels, chosen: NDArray[np.bool_] | None = None
) -> Standardisation:
    """Mean of every column, and one scale for all columns of one kind.

    A scale of its own would blow up the pixels at the rim of an image, which hardly ever vary.
    A kind that never varies gets scale 1, so that nothing is divided by 0.

    Args:
        inputs: (N, D), of numbers whose squares are finite; any numeric dtype.
        kinds: (D,), equal numbers for columns of one kind.
        chosen: (N,), which rows count, at least one; all if None.

    Source: docs/mathematics.md, equation 27.
    """
    chosen = np.ones(len(inputs), bool) if chosen is None else chosen
    mean, constant = _mean(inputs, chosen)
    # Rounding of the mean would leave a constant column a variance that is not quite 0.
    variance = np.where(constant, 0.0, _variance(inputs, chosen, mean))
    members = np.unique(kinds, return_inverse=True)[1]
    scale = np.sqrt(np.bincount(members, variance) / np.bincount(members))[members]
    scale[scale == 0] = 1.0
    return Standardisation(mean, scale, constant)


def _mean(inputs: NDArray[Any], chosen: NDArray[np.bool_]) -> tuple[Float64s, NDArray[np.bool_]]:
    """Mean of every column, and whether it never varied."""
    first = inputs[int(chosen.argmax())].copy()
    total, varied = np.zeros(len(first)), np.zeros(len(first), bool)
    for run in runs(inputs):
        rows = inputs[run][chosen[run]]
        total += rows.sum(axis=0, dtype=np.float64)
        varied |= (rows != first).any(axis=0)
    return total / np.count_nonzero(chosen), ~varied


def _variance(inputs: NDArray[Any], chosen: NDArray[np.bool_], mean: Float64s) -> Float64s:
    total = np.zeros_like(mean)
    for run in runs(inputs):
        total += np.square(inputs[run][chosen[run]] - mean).sum(axis=0)
    return total / np.count_nonzero(chosen)


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


class Preparation(NamedTuple):
    """How rows of a dataset become rows to draw batches from.

    Columns that never varied are left out, because nothing can be learnt from them. Bytes are
    kept, and scaled when they are drawn, unless they are few; everything else is standardised here.
    """

    columns: Labels  # (K,), increasing: those that are learnt from
    features: int  # D
    by: Standardisation  # of these columns
    dtype: np.dtype[Any]  # uint8 or float32

    @property
    def width(self) -> int:
        """Columns of a prepared row: the features, and the 1 behind them."""
        return len(self.columns) + 1

    @property
    def scaling(self) -> Scaling | None:
        """What is left to do when rows are drawn."""
        if self.dtype == np.float32:
            return None
        shift, factor = np.append(self.by.mean, 0), np.append(1 / self.by.scale, 1)
        return Scaling(shift.astype(np.float32), factor.astype(np.float32))

    def fill(self, prepared: NDArray[Any], raw: NDArray[Any]) -> None:
        """Fill (n, K + 1) from (n, D) rows of the dataset."""
        chosen = raw if len(self.columns) == self.features else raw[:, self.columns]
        prepared[:, -1] = 1
        prepared[:, :-1] = chosen if self.scaling else (chosen - self.by.mean) / self.by.scale

    def rows(self, inputs: NDArray[Any], labels: Labels, chosen: NDArray[np.bool_]) -> Pool:
        """The chosen ones of the rows (N, D) of a dataset, in memory."""
        prepared = np.empty((np.count_nonzero(chosen), self.width), self.dtype)
        filled = 0
        for run in runs(inputs):
            raw = inputs[run][chosen[run]]
            self.fill(prepared[filled : filled + len(raw)], raw)
            filled += len(raw)
        pool = Pool(prepared, labels[chosen], self.scaling)
        return pool.standardised() if prepared.size <= _FEW else pool

    def of_columns(self, parameters: Parameters) -> Parameters:
        """Parameters for the K columns that are learnt from."""
        return parameters._replace(W1=parameters.W1[self.columns])

    def with_constants(self, x: Float32s) -> Float32s:
        """Standardised rows (n, D), from those (n, K) without the columns that never varied."""
        whole = np.zeros((len(x), self.features), np.float32)
        whole[:, self.columns] = x
        return whole

    def of_all(self, parameters: Parameters) -> Parameters:
        """Parameters for all D features: a column that was left out has weight 0."""
        W1 = np.zeros((self.features, parameters.W1.shape[1]), parameters.W1.dtype)
        W1[self.columns] = parameters.W1
        W1[self.columns[self.by.constant]] = 0
        return parameters._replace(W1=W1)


def prepare(inputs: NDArray[Any], by: Standardisation) -> Preparation:
    """The preparation of inputs (N, D) that are standardised so."""
    columns = np.flatnonzero(~by.constant)
    if not len(columns):
        columns = np.arange(1)  # a network needs a feature, even one that tells nothing
    return Preparation(
        columns,
        inputs.shape[1],
        Standardisation(by.mean[columns], by.scale[columns], by.constant[columns]),
        np.dtype(np.uint8 if inputs.dtype == np.uint8 else np.float32),
    )


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


def held_out(labels: Labels, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Mark the rows (N,) that `stratified_split` sets aside.

    Of many rows, each quarter of a million is split by itself: that takes no more memory for more.
    """
    marks = np.zeros(len(labels), bool)
    for start in range(0, len(labels), _SPLIT_TOGETHER):
        split = stratified_split(labels[start : start + _SPLIT_TOGETHER], share, rng)
        marks[start + split.validation] = True
    return marks
