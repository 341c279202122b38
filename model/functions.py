"""Softmax, its relatives and the activations, each beside its derivative.

Every function takes any leading axes, keeps the dtype of its argument, and never modifies it.
Equation numbers are those of docs/mathematics.md.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from model.arrays import Floats, Labels


class Activation(NamedTuple):
    """The hidden layer's nonlinearity f and its elementwise derivative.

    The derivative is given both z1 and a1 = f(z1), so that each may use what it is exact in.
    """

    name: str
    function: Callable[[Floats], Floats]
    derivative: Callable[[Floats, Floats], Floats]  # (z1, a1) -> f'(z1), all of one shape
    overwrite: Callable[[Floats], Floats]  # f, where its argument is no longer needed


def softmax(logits: Floats) -> Floats:
    """Probabilities from logits, safe for any finite logits.

        p_i = exp(z_i - max z) / sum_k exp(z_k - max z)

    Args:
        logits: (..., C), finite.

    Returns:
        (..., C), in [0, 1]; rows sum to 1 to rounding.

    Source: docs/mathematics.md, equation 4.
    """
    with np.errstate(over="ignore"):  # only towards -inf, whose exponential is rightly 0
        p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    return p


def log_softmax(logits: Floats) -> Floats:
    """Logarithms of the probabilities, in nats, exact where a probability is close to 0 or 1.

        log p_i = z_i - logsumexp(z),  logsumexp(z) = max z + log1p(sum of the others' powers)

    Args:
        logits: (..., C), finite.

    Returns:
        (..., C), at most 0; -inf only where the gap to the largest logit is no finite number.

    Source: docs/mathematics.md, equation 5.
    """
    largest = logits.argmax(axis=-1, keepdims=True)
    with np.errstate(over="ignore"):  # a gap that is no finite number
        shifted = logits - np.take_along_axis(logits, largest, axis=-1)
    others = np.exp(shifted)
    np.put_along_axis(others, largest, 0.0, axis=-1)
    return shifted - np.log1p(others.sum(axis=-1, keepdims=True))


def softmax_jacobian(logits: Floats) -> Floats:
    """Jacobian of softmax: how each probability moves with each logit.

        J_ij = dp_i/dz_j = p_i (delta_ij - p_j)

    Args:
        logits: (..., C), finite.

    Returns:
        (..., C, C), symmetric; rows sum to 0 to rounding. Costs C times the memory of the input.

    Source: docs/mathematics.md, equation 9.
    """
    p = softmax(logits)
    jacobian = -p[..., :, None] * p[..., None, :]

    i = np.arange(p.shape[-1])
    jacobian[..., i, i] = p * complement(p)
    return jacobian


def complement(probabilities: Floats) -> Floats:
    """1 - p without losing the digits of the one class that may be close to certain.

    There 1 - p would cancel to nothing, but the sum of all the others holds the same number
    intact. Every other class is at most 1/2, where the subtraction is exact to rounding.

    Args:
        probabilities: (..., C), rows summing to 1.

    Returns:
        (..., C).
    """
    largest = probabilities.argmax(axis=-1, keepdims=True)
    others = np.arange(probabilities.shape[-1]) != largest
    sums = np.where(others, probabilities, 0).sum(axis=-1, keepdims=True)
    return np.where(others, 1 - probabilities, sums)


def softmax_vjp(probabilities: Floats, cotangent: Floats) -> Floats:
    """v^T J without building J: what a gradient becomes when it passes back through softmax.

        (v^T J)_i = p_i (v_i - sum_k p_k v_k)

    J is symmetric, so this is its JVP too.

    Args:
        probabilities: (..., C), the softmax of the logits in question.
        cotangent: (..., C), v.

    Returns:
        (..., C). Memory linear in C.

    Source: docs/mathematics.md, equation 10.
    """
    return probabilities * centred(probabilities, cotangent)


softmax_jvp = softmax_vjp


def centred(probabilities: Floats, values: Floats) -> Floats:
    """Each value less the mean of all under the probabilities: v_i - sum_k p_k v_k.

    The value of the most probable class is taken off first. The mean then counts only what the
    other classes add, so a class close to certain keeps its digits.

    Args:
        probabilities: (..., C), rows summing to 1.
        values: (..., C).

    Returns:
        (..., C).
    """
    largest = probabilities.argmax(axis=-1, keepdims=True)
    relative = values - np.take_along_axis(values, largest, axis=-1)
    return relative - (probabilities * relative).sum(axis=-1, keepdims=True)


def cross_entropy(logits: Floats, labels: Labels) -> float:
    """Mean negative log-likelihood of the labels, in nats, through logsumexp.

        loss = 1/N sum_n (logsumexp(z_n) - z_n[label_n])

    Args:
        logits: (N, C), finite.
        labels: (N,), class indices from 0.

    Returns:
        At least 0. No probability is ever logged, so none can underflow on the way.

    Source: docs/mathematics.md, equation 6.
    """
    log_p = log_softmax(logits)
    return -float(np.mean(log_p[np.arange(len(labels)), labels], dtype=np.float64))


def one_hot(labels: Labels, classes: int) -> Floats:
    """Labels as rows that hold a single 1.

    Args:
        labels: (N,), class indices from 0.
        classes: C.

    Returns:
        (N, C) float32, exact in every dtype it is later mixed with.
    """
    return np.eye(classes, dtype=np.float32)[labels]


def relu(z: Floats) -> Floats:
    """max(z, 0), elementwise. Source: docs/mathematics.md, equation 18."""
    return np.maximum(z, z.dtype.type(0))


_ZERO = {np.dtype(kind): np.zeros(1, kind) for kind in (np.float32, np.float64)}


def _relu_over(z: Floats) -> Floats:
    return np.maximum(z, _ZERO[z.dtype], out=z)  # arrays have a quicker loop than a number


def _tanh_over(z: Floats) -> Floats:
    return np.tanh(z, out=z)


def relu_derivative(z: Floats, a: Floats) -> Floats:
    """1 where z > 0, else 0; at the kink z = 0 the derivative is taken as 0."""
    return (z > 0).astype(z.dtype)


def tanh_derivative(z: Floats, a: Floats) -> Floats:
    """1 - tanh(z)^2, from z and not from a, in which a saturated unit has lost its digits.

        4 e / (1 + e)^2  with  e = exp(-2 |z|)

    Source: docs/mathematics.md, equation 19.
    """
    e = np.exp(-2 * np.abs(z))
    return 4 * e / np.square(1 + e)


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("relu", relu, relu_derivative, _relu_over),
        Activation("tanh", np.tanh, tanh_derivative, _tanh_over),
    )
}
