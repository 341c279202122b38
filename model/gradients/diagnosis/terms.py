"""An array written out in terms of others: the shortest sum of them that it is."""

import itertools
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays import Floats
from model.gradients.given import Tensors

_MOST_TERMS = 3
_EXACT = 1e-6  # relative; the sums are found from inner products, which keep half the digits
_ROUNDING = 1e-9  # of what is left, with room for arrays that are nearly dependent


class Terms(NamedTuple):
    """coefficient times array, added up."""

    coefficients: dict[str, float]
    residual: float  # what is left, relative to the array in the Euclidean norm

    def __str__(self) -> str:
        """Such as `5.000 a2 - 5.000 y`; `1` stands for the constant."""
        signed = [
            f"{'-' if value < 0 else '+'} {_written(abs(value))}"
            + ("" if name == "1" else f" {name}")
            for name, value in self.coefficients.items()
        ]
        return (
            " ".join(signed).removeprefix("+ ").replace("- ", "-", 1 if signed[0][0] == "-" else 0)
        )


def _written(size: float) -> str:
    return f"{size:.3f}" if 0.01 <= size < 1000 else f"{size:.3g}"


def in_terms(values: Floats, basis: Tensors, tolerance: float) -> Terms | None:
    """The fewest arrays of a basis whose sum, with coefficients, is an array.

    Args:
        values: not all 0.
        basis: arrays of the same shape, the more usual ones first.
        tolerance: relative; how exactly the sum has to be met.

    Returns:
        None where no three of them are enough.
    """
    arrays = np.array([array.ravel() for array in basis.values()])
    usable = np.isfinite(arrays).all(axis=1) & arrays.any(axis=1)
    names = [name for name, use in zip(basis, usable, strict=True) if use]
    rows, lengths = _normalised(arrays[usable])
    target, length = _normalised(values.ravel())
    limit = max(tolerance, _EXACT)

    if len(names) > _MOST_TERMS and not _in_span(target, rows, limit):
        return None
    for size in range(1, min(_MOST_TERMS, len(names)) + 1):
        chosen, factors, left = _closest(target, rows, size)
        if left <= limit:
            coefficients = (factors * length / lengths[chosen, 0]).tolist()
            return Terms(dict(zip([names[i] for i in chosen], coefficients, strict=True)), left)
    return None


def _in_span(target: Floats, rows: Floats, limit: float) -> bool:
    """Whether all rows together come close enough; if not, no few of them do."""
    factors = np.linalg.lstsq(rows.T, target)[0]
    return float(np.linalg.norm(target - factors @ rows)) <= limit + _ROUNDING


def _closest(target: Floats, rows: Floats, size: int) -> tuple[NDArray[np.int64], Floats, float]:
    """Which so many rows come closest to the target, times what, and how close."""
    sets = _sets_of(len(rows), size)
    gram, projected = rows @ rows.T, (rows @ target)[sets]  # (B, B), (S, size)
    systems = gram[sets[:, :, None], sets[:, None, :]] + 1e-14 * np.eye(size)
    factors = np.linalg.solve(systems, projected[:, :, None])  # (S, size, 1)
    left = np.linalg.norm(target - (rows[sets] * factors).sum(axis=1), axis=1)
    best = int(left.argmin())
    return sets[best], factors[best, :, 0], float(left[best])


def _normalised(rows: Floats) -> tuple[Floats, Floats]:
    """Each row, or the only one, at length 1; and the lengths. Zeros stay."""
    lengths = np.sqrt(np.square(rows).sum(axis=-1, keepdims=True))
    return rows / np.where(lengths > 0, lengths, 1), lengths


@lru_cache(maxsize=64)
def _sets_of(names: int, size: int) -> NDArray[np.int64]:
    """All sets of so many of the names, (S, size)."""
    return np.array(list(itertools.combinations(range(names), size)))
