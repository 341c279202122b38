"""Wrong ways to make a gradient of a parameter from delta3 or delta2: sources, sums, decay."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from model.arrays import Floats
from model.gradients.given import Hidden
from model.gradients.mistakes.mistake import Mistake, Wrong


class Decay(NamedTuple):
    """Weight decay in another size: `factor` of N rows times lambda W, right at 1."""

    mistake: Mistake
    factor: Callable[[int], float]


DECAYS = (
    Decay(
        Mistake(
            "decay-missing",
            "weight decay is in the loss but not in the gradient",
            "dW = x.T @ delta",
            "dW = x.T @ delta + weight_decay * W",
            "what is missing is parallel to W",
        ),
        lambda N: 0,
    ),
    Decay(
        Mistake(
            "decay-doubled",
            "the loss has weight_decay / 2 times the squares, whose derivative has no 2",
            "dW = x.T @ delta + 2 * weight_decay * W",
            "dW = x.T @ delta + weight_decay * W",
            "what is too much is parallel to W",
        ),
        lambda N: 2,
    ),
    Decay(
        Mistake(
            "decay-halved",
            "the 2 of the square cancels the half in the loss",
            "dW = x.T @ delta + weight_decay / 2 * W",
            "dW = x.T @ delta + weight_decay * W",
            "what is missing is parallel to W",
        ),
        lambda N: 0.5,
    ),
    Decay(
        Mistake(
            "decay-averaged",
            "weight decay is divided by N, though it is no part of the mean over the rows",
            "dW = (x.T @ delta + weight_decay * W) / N",
            "dW = x.T @ delta / N + weight_decay * W",
            "the decay of the weights changes with the batch",
        ),
        lambda N: 1 / N,
    ),
    Decay(
        Mistake(
            "decay-negated",
            "weight decay is subtracted from the gradient, which makes the weights grow",
            "dW = x.T @ delta - weight_decay * W",
            "dW = x.T @ delta + weight_decay * W",
            "the difference is parallel to W, with the factor -2",
        ),
        lambda N: -1,
    ),
)

DECAY_ON_BIASES = Mistake(
    "decay-on-biases",
    "the biases decay too, though the loss holds no squares of them",
    "db = delta.sum(axis=0) + weight_decay * b",
    "db = delta.sum(axis=0)",
    "what is too much is parallel to b; biases of 0 hide it",
)

SOURCES: tuple[Wrong[Hidden], ...] = (
    Wrong(
        Mistake(
            "pre-activation-for-activation",
            "dW2 is made from z1, but the output layer was fed a1",
            "dW2 = z1.T @ delta3",
            "dW2 = a1.T @ delta3",
            "dW2 is not in the span of the rows of a1",
        ),
        (lambda s: s.z1,),
    ),
    Wrong(
        Mistake(
            "inputs-for-activation",
            "dW2 is made from the inputs, but the output layer was fed a1",
            "dW2 = x.T @ delta3",
            "dW2 = a1.T @ delta3",
            "dW2 is not in the span of the rows of a1",
        ),
        (lambda s: s.x,),
        lambda s: s.x.shape == s.a1.shape,
    ),
)

# Of delta (..., N, K) instead of its sum over the rows (..., K).
BIASES: tuple[Wrong[Floats], ...] = (
    Wrong(
        Mistake(
            "bias-averaged",
            "delta holds the 1/N of the mean already; the bias divides by N again",
            "db = delta.mean(axis=0)",
            "db = delta.sum(axis=0)",
            "N times too small, while dW is right",
        ),
        (lambda delta: delta.mean(axis=-2),),
    ),
    Wrong(
        Mistake(
            "bias-of-one-row",
            "the bias takes the delta of one row instead of the sum over all",
            "db = delta[0]",
            "db = delta.sum(axis=0)",
            "db does not change when another row of the batch does",
        ),
        (lambda delta: delta[..., 0, :], lambda delta: delta[..., -1, :]),
    ),
    Wrong(
        Mistake(
            "bias-not-summed",
            "the delta of every row is kept; the bias is added to all rows, so they are summed",
            "db = delta",
            "db = delta.sum(axis=0)",
            "the shape is (N, K), not (K,); broadcasting hides it in the update",
        ),
        (lambda delta: delta,),
    ),
    Wrong(
        Mistake(
            "bias-over-wrong-axis",
            "the sum runs across the units instead of down the rows",
            "db = delta.sum(axis=1)",
            "db = delta.sum(axis=0)",
            "N numbers, all close to 0 for the output layer",
        ),
        (
            lambda delta: delta.sum(axis=-1),
            lambda delta: (
                np.full_like(delta[..., 0, :], 1) * delta.sum((-2, -1), keepdims=True)[..., 0]
            ),
        ),
    ),
)

WEIGHTS_UPDATED = Mistake(
    "weights-updated-first",
    "W2 was updated before delta2 was made from it",
    "W2 -= learning_rate * dW2; delta2 = (delta3 @ W2.T) * slope",
    "delta2 = (delta3 @ W2.T) * slope; W2 -= learning_rate * dW2",
    "dW2 and db2 are right, dW1 and db1 are a little wrong",
)
WEIGHTS_NOT_TRANSPOSED = Mistake(
    "weights-not-transposed",
    "delta3 goes back through W2 instead of its transpose, which only fits when H = C",
    "delta2 = (delta3 @ W2) * slope",
    "delta2 = (delta3 @ W2.T) * slope",
    "dW2 and db2 are right, dW1 and db1 are wrong",
)
LEAKY = Mistake(
    "mask-leaky",
    "units below 0 pass a part of the gradient: this is the derivative of a leaky relu",
    "delta2 = (delta3 @ W2.T) * np.where(z1 > 0, 1, 0.01)",
    "delta2 = (delta3 @ W2.T) * (z1 > 0)",
    "delta2 / (delta3 @ W2.T) has two values, and the lower is not 0",
)
