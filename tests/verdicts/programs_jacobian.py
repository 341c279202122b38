"""Somebody's softmax Jacobian, row by row."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tests.verdicts.made import RIGHT, Answer, Array, Given, Made, Real
from tests.verdicts.programs_output import SOFTMAXES, softmax


class Row(NamedTuple):
    """One row of the batch."""

    z: Array  # (C,)
    p: Array  # (C,)
    T: Real
    form: int


def overwritten(p: Array, other: Array) -> Array:
    """The loop of a well-known question, which asks why this is no Jacobian."""
    g = np.zeros_like(p)
    for i in range(len(p)):
        for j in range(len(p)):
            if i == j:
                g[i] = p[i] * (1 - other[i])
            else:
                g[i] = -p[i] * other[j]
    return g


def logits_matrix(s: Row) -> Array:
    """The same loop with a matrix to write into."""
    J = np.zeros((len(s.p), len(s.p)), s.p.dtype)
    for i in range(len(s.p)):
        for j in range(len(s.p)):
            J[i, j] = s.p[i] * (1 - s.z[i]) if i == j else -s.p[i] * s.z[j]
    return J.T if s.form else J


def right(p: Array) -> Array:
    return np.diag(p) - np.outer(p, p)


def log_softmax(s: Row) -> Array:
    J = np.eye(len(s.p), dtype=s.p.dtype) - s.p[None, :]
    return J.T if s.form else J


def twice(s: Row) -> Array:
    """`s.p` went through softmax twice; differentiated once, or twice as it should be then."""
    first = softmax(s.z[None] / s.T)[0]
    return right(s.p) @ right(first) if s.form else right(s.p)


ROWS: dict[str, Callable[[Row], Array]] = {
    RIGHT: lambda s: right(s.p),
    "overwritten-loop": lambda s: overwritten(s.p, s.z),
    "overwritten-loop-of-probabilities": lambda s: overwritten(s.p, s.p),
    "logits-in-outer-product": logits_matrix,
    "jacobian-as-vector": lambda s: s.p * (1 - s.p),
    "jacobian-diagonal-only": lambda s: np.diag(s.p * (1 - s.p)),
    "derivative-of-logits": lambda s: s.z * (1 - s.z) if s.form else np.diag(s.z * (1 - s.z)),
    "jacobian-negated": lambda s: np.outer(s.p, s.p) - np.diag(s.p),
    "jacobian-without-diagonal": lambda s: -np.outer(s.p, s.p),
    "jacobian-without-outer-product": lambda s: np.diag(s.p),
    "outer-product-added": lambda s: np.diag(s.p) + np.outer(s.p, s.p),
    "log-softmax-jacobian": log_softmax,
    "double-softmax": twice,
}

_NO_TEMPERATURE = {"overwritten-loop", "logits-in-outer-product", "derivative-of-logits"}
TEMPERATURES: dict[str, Callable[[Array, Real, int], Array]] = {
    RIGHT: lambda J, T, form: J / T,
    "temperature-not-divided": lambda J, T, form: J,
    "temperature-divided-twice": lambda J, T, form: J / T**2,
    "temperature-ignored": lambda J, T, form: J / (T, 1)[form],
    "temperature-multiplied": lambda J, T, form: J * (1 / T, T)[form],
}


def jacobian_of(given: Given, made: Made) -> Answer:
    """One matrix for each row; with some mistakes, one vector."""
    z: Array = given["logits"]
    T = z.dtype.type(given.get("temperature", 1))
    p = made.line(SOFTMAXES)(z, T)
    rows = [made.line(ROWS)(Row(z[n], p[n], T, made.form)) for n in range(len(z))]
    if made.slugs & _NO_TEMPERATURE:  # who writes these has not come that far
        return {"jacobian": np.stack(rows)}
    return {"jacobian": made.line(TEMPERATURES)(np.stack(rows), T, made.form)}
