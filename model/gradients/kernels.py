"""Whole Jacobians of a batch, at the speed of the memory they fill.

The textbook's formulas are in functions.py; here they are arranged so that every number of the
answer is written once. Each function keeps the dtype of its arguments, float32 or float64, and
takes `out`, which belongs to the caller: it is overwritten and returned, and it must not overlap
an argument. Without it a new array is returned; the system then hands out its pages one by one,
which can take longer than the arithmetic.

Equation numbers are those of docs/mathematics.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from model.arrays import Floats
from model.functions import Activation, complement
from model.network import Parameters, Trace

_SCRATCH = 2**20  # bytes, about what the second-level cache of one core holds
_LONG = 200  # numbers in a row up to which einsum, which calls for each row, is the quicker one


def softmax_jacobians(probabilities: Floats, out: Floats | None = None) -> Floats:
    """Jacobian of softmax for every row: how each probability moves with each logit.

        J_ij = dp_i/dz_j = p_i (I_ij - p_j)

    Args:
        probabilities: (..., C), the softmax of the logits in question.
        out: (..., C, C) of the same dtype, where the answer goes; the caller's.

    Returns:
        (..., C, C), symmetric; the diagonal keeps its digits where a class is nearly certain.

    Raises:
        ValueError: `out` has another shape or dtype.

    Source: docs/mathematics.md, equation 9.
    """
    p = probabilities
    jacobians = _room((*p.shape, p.shape[-1]), p, out)

    if p.shape[-1] < _LONG:
        np.einsum("...i,...j->...ij", p, -p, out=jacobians)
    else:
        with unbuffered():
            np.multiply(p[..., :, None], -p[..., None, :], out=jacobians)
    np.einsum("...ii->...i", jacobians)[...] = p * complement(p)  # a view of the diagonals
    return jacobians


def input_jacobians(
    parameters: Parameters, trace: Trace, activation: Activation, out: Floats | None = None
) -> Floats:
    """dp/dx for every row: how each probability moves with each feature.

        dp/dx = J W2^T diag(f'(z1)) W1^T

    From the left, so that only the last product is D wide; it is one product for many rows, as
    many at a time as have their (rows, C, H) in a megabyte.

    Args:
        parameters: of the same dtype as the trace.
        trace: what `forward` returned for the N rows.
        activation: f.
        out: (N, C, D), C-contiguous and of the same dtype, where the answer goes; the caller's.

    Returns:
        (N, C, D).

    Raises:
        ValueError: `out` has another shape, dtype or order.

    Source: docs/mathematics.md, equations 1, 9 and 15.
    """
    p, slope = trace.a2, activation.derivative(trace.z1, trace.a1)
    (features, hidden), (rows, classes) = parameters.W1.shape, p.shape
    jacobians = _room((rows, classes, features), p, out)
    if not jacobians.flags.c_contiguous:
        raise ValueError(f"expected `out` to be C-contiguous, got strides {jacobians.strides}")

    W2T = np.ascontiguousarray(parameters.W2.T)
    at_once = max(1, min(rows, _SCRATCH // (classes * hidden * p.itemsize)))
    scratch = np.empty((at_once, classes, hidden), p.dtype)
    for first in range(0, rows, at_once):
        some = slice(first, min(first + at_once, rows))
        by_hidden = scratch[: some.stop - first]
        flat = by_hidden.reshape(-1, hidden)  # the same memory

        by_logits = softmax_jacobians(p[some]).reshape(-1, classes)
        np.matmul(by_logits, W2T, out=flat)
        by_hidden *= slope[some, None, :]
        np.matmul(flat, parameters.W1.T, out=jacobians[some].reshape(-1, features))
    return jacobians


@contextmanager
def unbuffered() -> Iterator[None]:
    """For an outer product of long rows.

    Both its operands repeat, and with its default buffer NumPy copies both out first, as soon as
    two rows fit, which takes twice as long; a small buffer stops it. Leaving `errstate` restores
    the size.
    """
    with np.errstate():
        np.setbufsize(16)
        yield


def _room(shape: tuple[int, ...], like: Floats, out: Floats | None) -> Floats:
    """Where the answer goes: the caller's array if it fits, else a new one."""
    if out is None:
        return np.empty(shape, like.dtype)
    if out.shape != shape or out.dtype != like.dtype:
        raise ValueError(
            f"expected `out` of shape {shape} and {like.dtype}, got {out.shape} and {out.dtype}"
        )
    return out
