"""Wrong ways to write the Jacobian of softmax, J = (diag(p) - p p^T) / T."""

import numpy as np

from model.arrays import Floats
from model.functions import softmax_jacobian
from model.gradients.given import Output
from model.gradients.mistakes.mistake import Mistake, Wrong

_RIGHT = "J = np.diag(p) - np.outer(p, p)"


def _diagonal(values: Floats) -> Floats:
    """(N, C) on the diagonals of (N, C, C)."""
    return values[:, :, None] * np.eye(values.shape[1])


def _outer(left: Floats, right: Floats) -> Floats:
    return left[:, :, None] * right[:, None, :]


def _of_probabilities(p: Floats) -> Floats:
    return _diagonal(p) - _outer(p, p)


def _softmax_over(s: Output, axis: int | None) -> Floats:
    powers = np.exp((s.z - s.z.max()) / s.T)
    return powers / powers.sum(axis=axis, keepdims=True)


def _overwritten(s: Output) -> Floats:
    """What is left of g[i] = p[i] (1 - z[j]) or -p[i] z[j] when each j overwrites the last."""
    vector = -s.p * s.z[:, -1:]
    vector[:, -1] += s.p[:, -1]
    return vector


def _overwritten_probabilities(s: Output) -> Floats:
    """The last column of J: the right formula, overwritten in the same way."""
    return _of_probabilities(s.p)[:, :, -1] / s.T


def _logits_matrix(s: Output) -> Floats:
    return _diagonal(s.p) - _outer(s.p, s.z)


def _transposed(matrices: Floats) -> Floats:
    return np.swapaxes(matrices, 1, 2)


def _of_log_softmax(s: Output) -> Floats:
    return (np.eye(s.p.shape[1]) - s.p[:, None, :]) / s.T


JACOBIANS: tuple[Wrong[Output], ...] = (
    Wrong(
        Mistake(
            "overwritten-loop",
            "the inner loop writes every g[i, j] into g[i], so only the last j is left, and the "
            "logits stand where the probabilities belong",
            "g[i] = p[i] * (1 - z[j]) if i == j else -p[i] * z[j]  # for all i, j",
            "J[i, j] = p[i] * (1 - p[j]) if i == j else -p[i] * p[j]",
            "g / p is the same number in all entries but the last, where it is larger by 1",
        ),
        (_overwritten,),
    ),
    Wrong(
        Mistake(
            "overwritten-loop-of-probabilities",
            "the inner loop writes every g[i, j] into g[i], so only the last column of J is left",
            "g[i] = p[i] * (1 - p[j]) if i == j else -p[i] * p[j]  # for all i, j",
            "J[i, j] = p[i] * (1 - p[j]) if i == j else -p[i] * p[j]",
            "one number for each class, all negative but the last",
        ),
        (_overwritten_probabilities,),
    ),
    Wrong(
        Mistake(
            "logits-in-outer-product",
            "the second factor of the outer product is the logits, not the probabilities",
            "J = np.diag(p) - np.outer(p, z)",
            _RIGHT,
            "rows sum to p (1 - sum z) instead of 0, and J is not symmetric",
        ),
        (_logits_matrix, lambda s: _transposed(_logits_matrix(s))),
    ),
    Wrong(
        Mistake(
            "jacobian-as-vector",
            "softmax is not elementwise: each probability depends on all logits, so its "
            "derivative is a matrix, and p (1 - p) is only its diagonal",
            "J = p * (1 - p)",
            _RIGHT,
            "one number for each class instead of C times C",
        ),
        (lambda s: s.p * (1 - s.p) / s.T,),
    ),
    Wrong(
        Mistake(
            "jacobian-diagonal-only",
            "the entries off the diagonal, -p_i p_j, are missing",
            "J = np.diag(p * (1 - p))",
            _RIGHT,
            "rows sum to p (1 - p) instead of 0",
        ),
        (lambda s: _diagonal(s.p * (1 - s.p)) / s.T,),
    ),
    Wrong(
        Mistake(
            "derivative-of-logits",
            "p (1 - p) is written with the logits in place of the probabilities",
            "J = np.diag(z * (1 - z))",
            _RIGHT,
            "entries leave (0, 1/4], and some of the diagonal is negative",
        ),
        (lambda s: _diagonal(s.z * (1 - s.z)), lambda s: s.z * (1 - s.z)),
    ),
    Wrong(
        Mistake(
            "jacobian-without-diagonal",
            "the term diag(p) is missing",
            "J = -np.outer(p, p)",
            _RIGHT,
            "no entry is positive, and the matrix has rank 1",
        ),
        (lambda s: -_outer(s.p, s.p) / s.T,),
    ),
    Wrong(
        Mistake(
            "jacobian-without-outer-product",
            "the term -p p^T is missing",
            "J = np.diag(p)",
            _RIGHT,
            "rows sum to p instead of 0",
        ),
        (lambda s: _diagonal(s.p) / s.T, lambda s: s.p / s.T),
    ),
    Wrong(
        Mistake(
            "outer-product-added",
            "p p^T is added where it must be subtracted",
            "J = np.diag(p) + np.outer(p, p)",
            _RIGHT,
            "no entry is negative, and rows sum to 2 p",
        ),
        (lambda s: (_diagonal(s.p) + _outer(s.p, s.p)) / s.T,),
    ),
    Wrong(
        Mistake(
            "log-softmax-jacobian",
            "this is the Jacobian of log-softmax",
            "J = np.eye(C) - p",
            _RIGHT,
            "rows sum to 0 but columns to 1 - C p, and J is not symmetric",
        ),
        (_of_log_softmax, lambda s: _transposed(_of_log_softmax(s))),
    ),
    Wrong(
        Mistake(
            "double-softmax",
            "softmax is applied a second time, to what are already probabilities",
            "p = softmax(softmax(z))",
            "p = softmax(z)",
            "no probability leaves [1/(C-1+e), e/(C-1+e)]",
        ),
        (
            lambda s: softmax_jacobian(s.p) / s.T,
            lambda s: softmax_jacobian(s.p) @ softmax_jacobian(s.z / s.T) / s.T,
        ),
    ),
    Wrong(
        Mistake(
            "softmax-over-batch",
            "softmax runs down the batch instead of across the classes",
            "p = exp(z) / exp(z).sum(axis=0)",
            "p = exp(z) / exp(z).sum(axis=1, keepdims=True)",
            "the columns of p sum to 1, its rows do not",
        ),
        (lambda s: _of_probabilities(_softmax_over(s, 0)) / s.T,),
    ),
    Wrong(
        Mistake(
            "softmax-over-everything",
            "softmax is normalised by the sum over the whole batch",
            "p = exp(z) / exp(z).sum()",
            "p = exp(z) / exp(z).sum(axis=1, keepdims=True)",
            "all of p together sums to 1, instead of each row",
        ),
        (lambda s: _of_probabilities(_softmax_over(s, None)) / s.T,),
    ),
    Wrong(
        Mistake(
            "temperature-ignored",
            "softmax is taken of z, not of z / T",
            "p = softmax(z)",
            "p = softmax(z / T)",
            "p is the same at every temperature",
        ),
        (
            lambda s: softmax_jacobian(s.z),
            lambda s: softmax_jacobian(s.z) / s.T,
        ),
    ),
    Wrong(
        Mistake(
            "temperature-multiplied",
            "the logits are multiplied by the temperature instead of divided",
            "p = softmax(z * T)",
            "p = softmax(z / T)",
            "a higher temperature makes p more certain, not less",
        ),
        (
            lambda s: softmax_jacobian(s.z * s.T) / s.T,
            lambda s: softmax_jacobian(s.z * s.T) * s.T,
        ),
    ),
)
