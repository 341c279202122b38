"""Rows that stay in a memory-mapped file, of which a part at a time is held."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays import Float32s, Labels
from model.data import let_go, runs
from model.training.preprocessing import Preparation
from model.training.rows import Pool, standardised

_POOL = 2**25  # bytes held and shuffled at a time
_RUN = 2**16  # bytes of neighbours in the file that are read together


class StoredRows(NamedTuple):
    """Those rows of a file that bear the mark, or those that do not."""

    inputs: NDArray[Any]  # (M, columns), in the file
    all_labels: Labels  # (M,)
    marks: NDArray[np.bool_]  # (M,)
    marked: bool
    preparation: Preparation

    @property
    def labels(self) -> Labels:
        """(N,), class indices from 0."""
        return self.all_labels[self.marks == self.marked]

    def pools(self, size: int, rng: np.random.Generator) -> Iterator[Pool]:
        """All rows once: runs of neighbours in random order, as many as are held at a time.

        So the file is read in pieces worth reading, and a batch is still of rows from hundreds of
        places. A pool holds until the next one is asked for.
        """
        width, dtype = self.preparation.width, self.preparation.dtype
        room = size * max(1, _POOL // (size * width * dtype.itemsize))
        inputs, labels = np.empty((room, width), dtype), np.empty(room, self.all_labels.dtype)
        scaling = self.preparation.scaling

        filled = 0
        for raw, of_raw in self._shuffled(rng):
            start = 0
            while start < len(raw):
                stop = min(len(raw), start + room - filled)
                end = filled + stop - start
                self.preparation.fill(inputs[filled:end], raw[start:stop])
                labels[filled:end] = of_raw[start:stop]
                start, filled = stop, end
                if filled == room:
                    yield Pool(inputs, labels, scaling)
                    filled = 0
        if filled:
            yield Pool(inputs[:filled], labels[:filled], scaling)

    def blocks(self) -> Iterator[Float32s]:
        """All rows once and in the order of the file, (n, D + 1), standardised."""
        for run in runs(self.inputs):
            raw = self.inputs[run][self.marks[run] == self.marked]
            prepared = np.empty((len(raw), self.preparation.width), self.preparation.dtype)
            self.preparation.fill(prepared, raw)
            yield standardised(prepared, self.preparation.scaling)

    def _shuffled(self, rng: np.random.Generator) -> Iterator[tuple[NDArray[Any], Labels]]:
        """Runs of rows with their labels, in random order."""
        rows = max(1, _RUN * len(self.inputs) // self.inputs.nbytes)
        for number in rng.permutation(-(-len(self.inputs) // rows)).tolist():
            run = slice(number * rows, (number + 1) * rows)
            ours = self.marks[run] == self.marked
            raw = self.inputs[run][ours]
            let_go(self.inputs)
            yield raw, self.all_labels[run][ours]
