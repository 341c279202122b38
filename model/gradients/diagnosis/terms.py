"""An array written out in terms of others: the shortest sum of them that it is."""

import itertools
from typing import NamedTuple

import numpy as np

from model.arrays import Floats
from model.gradients.given import Tensors

_MOST_TERMS = 3
_EXACT = 1e-6  # relative; the sums are found from inner products, which keep half the digits


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
    names = [name for name, array in basis.items() if np.isfinite(array).all() and array.any()]
    columns = np.stack([basis[name].ravel() for name in names], axis=1)
    lengths = np.linalg.norm(columns, axis=0)
    columns = columns / lengths
    target = values.ravel() / (np.linalg.norm(values) or 1.0)
    gram, projected = columns.T @ columns, columns.T @ target

    for size in range(1, min(_MOST_TERMS, len(names)) + 1):
        sets = np.array(list(itertools.combinations(range(len(names)), size)))
        systems = gram[sets[:, :, None], sets[:, None, :]] + 1e-14 * np.eye(size)
        found = np.linalg.solve(systems, projected[sets][:, :, None])[:, :, 0]
        left = np.linalg.norm(
            target[:, None] - np.einsum("vsk,sk->vs", columns[:, sets], found), axis=0
        )
        best = int(left.argmin())
        if left[best] <= max(tolerance, _EXACT):
            size_of_values = float(np.linalg.norm(values))
            return Terms(
                {
                    names[i]: float(c * size_of_values / lengths[i])
                    for i, c in zip(sets[best], found[best], strict=True)
                },
                float(left[best]),
            )
    return None
