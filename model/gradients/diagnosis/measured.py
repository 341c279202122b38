"""What an answer shows of the steps behind it: the delta3 and the delta2 that it implies.

dW = source^T delta + c W has more equations than unknowns when the source is wider than the batch
is long, so delta and c can be solved for, and what is left over tells whether they exist at all.
"""

from typing import NamedTuple

import numpy as np

from model.arrays import Floats
from model.gradients.given import Given, Tensors

_RANK = 1e-9  # relative; rows of a source closer than this to dependent cannot be told apart


class Implied(NamedTuple):
    """The delta behind a gradient of weights."""

    delta: Floats  # (N, K)
    decay: float  # c, which is the weight decay when all is right
    residual: float  # what neither explains, relative to the gradient; 0 when all is in the span


def implied_by_weights(source: Floats, gradient: Floats, weights: Floats) -> Implied | None:
    """Delta and c of gradient = source^T delta + c weights, by least squares.

    Args:
        source: (N, S), what the layer was fed.
        gradient: (S, K).
        weights: (S, K).

    Returns:
        None where the rows of the source do not determine delta.
    """
    N, S = source.shape
    if N >= S or gradient.shape != weights.shape or not np.isfinite(gradient).all():
        return None
    basis, sizes, rows = np.linalg.svd(source.T, full_matrices=False)  # (S, N), (N,), (N, N)
    if sizes[-1] <= _RANK * sizes[0]:
        return None

    def outside(values: Floats) -> Floats:
        return values - basis @ (basis.T @ values)

    foreign, own = outside(gradient), outside(weights)
    square = float(np.vdot(own, own))
    decay = float(np.vdot(own, foreign)) / square if square else 0.0
    delta = rows.T @ ((basis.T @ (gradient - decay * weights)) / sizes[:, None])
    left = np.abs(foreign - decay * own).max() / (np.abs(gradient).max() or 1.0)
    return Implied(delta, decay, float(left))


def implied_delta3(given: Given, tensors: Tensors) -> Implied | None:
    """(N, C), from the answer's own delta3 or its dW2; None where neither shows it."""
    loss, hidden = given.loss, given.hidden
    if loss is None:
        return None
    posted = tensors.get("delta3")
    if posted is not None and posted.shape == loss.p.shape and np.isfinite(posted).all():
        return Implied(posted, 0.0 if hidden is None else hidden.decay, 0.0)
    if hidden is None or "dW2" not in tensors:
        return None
    return implied_by_weights(hidden.a1, tensors["dW2"], hidden.parameters.W2)


def implied_delta2(given: Given, tensors: Tensors) -> Implied | None:
    """(N, H), from the answer's own delta2 or its dW1; None where neither shows it."""
    hidden = given.hidden
    if hidden is None:
        return None
    posted = tensors.get("delta2")
    if posted is not None and posted.shape == hidden.z1.shape and np.isfinite(posted).all():
        return Implied(posted, hidden.decay, 0.0)
    if "dW1" not in tensors:
        return None
    return implied_by_weights(hidden.x, tensors["dW1"], hidden.parameters.W1)
