"""Rows to learn from, and the order in which they are seen.

Behind the features of a row stands a 1, for `backprop`. Many bytes stay bytes until a batch is
drawn: they are a quarter of float32, and nothing is lost by waiting.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from model.arrays import Float32s, Labels

Drawable: TypeAlias = NDArray[np.uint8 | np.float32]
Number = TypeVar("Number", bound=np.generic)

_TOGETHER = 2**18  # bytes of batches drawn at once, so that small ones are not drawn one by one
_LINES = 8  # rows scaled as one: the inner loops of NumPy are worth it from a few thousand numbers
_EVALUATED = 4096  # rows at a time, so that evaluating needs no more memory than it must


class Scaling(NamedTuple):
    """x' = (x - shift) factor, column by column."""

    shift: Float32s  # (D + 1,), 0 for the ones
    factor: Float32s  # (D + 1,), 1 for the ones

    def repeated(self, times: int) -> "Scaling":
        """For so many rows in one."""
        return Scaling(np.tile(self.shift, times), np.tile(self.factor, times))

    def apply(self, x: Float32s) -> None:
        """Standardise (N, D + 1) rows in place."""
        x -= self.shift
        x *= self.factor


class Source(Protocol):
    """Where rows come from: memory, or a file that is larger."""

    @property
    def labels(self) -> Labels:
        """(N,), class indices from 0, in the order of `blocks`."""

    def pools(self, size: int, rng: np.random.Generator) -> Iterator["Pool"]:
        """All rows once, some at a time, to be shuffled: a multiple of `size` each but the last."""

    def blocks(self) -> Iterator[Float32s]:
        """All rows once and in order, (n, D + 1), standardised."""


class Pool(NamedTuple):
    """Rows in memory, to draw batches from."""

    inputs: Drawable  # (N, D + 1), the last column 1
    labels: Labels  # (N,), class indices from 0
    scaling: Scaling | None  # of the inputs; None: they are standardised

    def pools(self, size: int, rng: np.random.Generator) -> Iterator["Pool"]:
        """All rows in one."""
        yield self

    def blocks(self) -> Iterator[Float32s]:
        """All rows once and in order, (n, D + 1), standardised."""
        for start in range(0, len(self.inputs), _EVALUATED):
            yield standardised(self.inputs[start : start + _EVALUATED], self.scaling)

    def standardised(self) -> "Pool":
        """The same rows with nothing left to do when they are drawn."""
        return Pool(standardised(self.inputs, self.scaling), self.labels, None)


class Rows(NamedTuple):
    """Standardised features with their labels."""

    inputs: Float32s  # (N, D + 1), the last column 1; or without it, (N, D)
    labels: Labels  # (N,), class indices from 0

    def pools(self, size: int, rng: np.random.Generator) -> Iterator[Pool]:
        """All rows in one."""
        yield Pool(self.inputs, self.labels, None)

    def blocks(self) -> Iterator[Float32s]:
        """All rows once and in order, standardised."""
        return Pool(self.inputs, self.labels, None).blocks()


def standardised(inputs: Drawable, scaling: Scaling | None) -> Float32s:
    """(N, D + 1) in float32, scaled."""
    x = inputs.astype(np.float32, copy=False)
    return x if scaling is None else (x - scaling.shift) * scaling.factor


def with_ones(inputs: NDArray[Number], features: int) -> NDArray[Number]:
    """(N, D + 1): the inputs with the 1 behind each row, where it is not there."""
    if inputs.shape[1] > features:
        return inputs
    return np.hstack([inputs, np.ones((len(inputs), 1), inputs.dtype)])


class Drawing:
    """Draws batches of at most `size` rows of a width, D + 1, into arrays made once."""

    def __init__(self, size: int, width: int) -> None:
        self.size, self.width = size, width
        self.together = size * max(1, _TOGETHER // (4 * size * width))
        self.x = np.empty((0, width), np.float32)
        self.raw = np.empty((0, width), np.uint8)

    def batches(self, source: Source, rng: np.random.Generator) -> Iterator[Rows]:
        """One epoch: every row once. A batch holds until the next one is asked for."""
        for pool in source.pools(self.size, rng):
            inputs = with_ones(pool.inputs, self.width - 1)
            lines = None if pool.scaling is None else pool.scaling.repeated(_LINES)
            order = rng.permutation(len(pool.labels))
            for start in range(0, len(order), self.together):
                chosen = order[start : start + self.together]
                x = self._drawn(inputs, chosen)
                if pool.scaling is not None and lines is not None:
                    whole = len(x) - len(x) % _LINES
                    lines.apply(x[:whole].reshape(-1, _LINES * self.width))
                    pool.scaling.apply(x[whole:])
                yield from self._cut(x, pool.labels.take(chosen))

    def _cut(self, x: Float32s, labels: Labels) -> Iterator[Rows]:
        for start in range(0, len(labels), self.size):
            batch = slice(start, start + self.size)
            yield Rows(x[batch], labels[batch])

    def _drawn(self, inputs: Drawable, chosen: Labels) -> Float32s:
        """The chosen rows (n, D + 1) as float32."""
        if len(chosen) > len(self.x):
            self.x = np.empty((len(chosen), self.width), np.float32)
            self.raw = np.empty((len(chosen), self.width), np.uint8)
        x = self.x[: len(chosen)]
        # `clip`, because `raise` goes through a copy; no number is out of range.
        if inputs.dtype == np.float32:
            inputs.take(chosen, axis=0, out=x, mode="clip")
        else:
            raw = self.raw[: len(chosen)]
            np.copyto(x, inputs.take(chosen, axis=0, out=raw, mode="clip"))
        return x
