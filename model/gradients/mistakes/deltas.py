"""Wrong ways to write delta3 = (a2 - y) / (N T), the gradient with respect to the logits.

Factors stand in `scales`: here the shape of the expression is wrong, not its size.
"""

import numpy as np

from model.arrays import Floats
from model.functions import one_hot, softmax, softmax_vjp
from model.gradients.given import Loss
from model.gradients.mistakes.mistake import Mistake, Wrong

_RIGHT = "delta3 = (a2 - y) / N"


def _mean(s: Loss, values: Floats) -> Floats:
    """Over the rows, and by the temperature, as delta3 is."""
    return values / (len(s.p) * s.T)


def _softmax_over(s: Loss, axis: int | None) -> Floats:
    powers = np.exp((s.z - s.z.max()) / s.T)
    return powers / powers.sum(axis=axis, keepdims=True)


def _inverse(p: Floats) -> Floats:
    """1/p; a probability that has underflowed to 0 would make it infinite."""
    return 1 / np.maximum(p, np.finfo(p.dtype).tiny)


def _shifted(s: Loss, by: int) -> Floats:
    C = s.p.shape[1]
    return _mean(s, s.p - one_hot((s.labels + by) % C, C))


def _broadcast(s: Loss) -> Floats:
    """Class indices in place of one-hot rows, against the rows or, if they fit, the columns."""
    return _mean(s, s.p - s.labels[:, None])


def _broadcast_across(s: Loss) -> Floats:
    square = len(s.labels) == s.p.shape[1]
    return _mean(s, s.p - s.labels) if square else _broadcast(s)


DELTAS: tuple[Wrong[Loss], ...] = (
    Wrong(
        Mistake(
            "double-softmax",
            "softmax is applied a second time, to what are already probabilities",
            "a2 = softmax(softmax(z2))",
            "a2 = softmax(z2)",
            "no probability leaves [1/(C-1+e), e/(C-1+e)], so the loss cannot come close to 0",
        ),
        (lambda s: _mean(s, softmax(s.p) - s.y),),
    ),
    Wrong(
        Mistake(
            "double-softmax-backpropagated",
            "softmax is applied twice and both are differentiated, which is the exact gradient of "
            "another network",
            "delta3 = softmax_vjp(a2, softmax(a2) - y) / N",
            _RIGHT,
            "every entry of delta3 is far smaller than a2 - y",
        ),
        (lambda s: _mean(s, softmax_vjp(s.p, softmax(s.p) - s.y)),),
    ),
    Wrong(
        Mistake(
            "softmax-over-batch",
            "softmax runs down the batch instead of across the classes",
            "a2 = exp(z2) / exp(z2).sum(axis=0)",
            "a2 = exp(z2) / exp(z2).sum(axis=1, keepdims=True)",
            "the columns of a2 sum to 1, its rows do not",
        ),
        (lambda s: _mean(s, _softmax_over(s, 0) - s.y),),
    ),
    Wrong(
        Mistake(
            "softmax-over-everything",
            "softmax is normalised by the sum over the whole batch",
            "a2 = exp(z2) / exp(z2).sum()",
            "a2 = exp(z2) / exp(z2).sum(axis=1, keepdims=True)",
            "all of a2 together sums to 1, instead of each row",
        ),
        (lambda s: _mean(s, _softmax_over(s, None) - s.y),),
    ),
    Wrong(
        Mistake(
            "extra-softmax-derivative",
            "a2 - y is multiplied by a2 (1 - a2) again, though the derivative of softmax is "
            "already in it",
            "delta3 = (a2 - y) * a2 * (1 - a2) / N",
            _RIGHT,
            "the rows of delta3 do not sum to 0",
        ),
        (lambda s: _mean(s, (s.p - s.y) * s.p * (1 - s.p)),),
    ),
    Wrong(
        Mistake(
            "stops-at-probabilities",
            "this is dloss/dprobabilities; the way back through softmax is missing",
            "delta3 = -y / a2 / N",
            _RIGHT,
            "one entry in each row is not 0, and it is larger than 1/N",
        ),
        (
            lambda s: -s.y * _inverse(s.p) / len(s.p),
            lambda s: _mean(s, -s.y * _inverse(s.p)),
        ),
    ),
    Wrong(
        Mistake(
            "true-class-only",
            "only the column of the label gets a gradient: the softmax Jacobian was taken as "
            "diagonal, so the other classes are never pushed down",
            "delta3 = -y / a2 * a2 * (1 - a2) / N",
            _RIGHT,
            "all columns but the label's are 0",
        ),
        (lambda s: _mean(s, (s.p - 1) * s.y),),
    ),
    Wrong(
        Mistake(
            "wrong-classes-only",
            "the column of the label gets no gradient",
            "delta3 = a2 * (1 - y) / N",
            _RIGHT,
            "the column of the label is 0, and no entry is negative",
        ),
        (lambda s: _mean(s, s.p * (1 - s.y)),),
    ),
    Wrong(
        Mistake(
            "squared-error-diagonal",
            "this is the gradient of the squared error, through a softmax taken as elementwise",
            "delta3 = 2 * (a2 - y) * a2 * (1 - a2) / N",
            _RIGHT,
            "the rows of delta3 do not sum to 0",
        ),
        (lambda s: _mean(s, 2 * (s.p - s.y) * s.p * (1 - s.p)),),
    ),
    Wrong(
        Mistake(
            "squared-error",
            "this is the gradient of the squared error, not of the cross-entropy",
            "delta3 = softmax_vjp(a2, 2 * (a2 - y)) / N",
            _RIGHT,
            "delta3 becomes small where the network is sure of a wrong class",
        ),
        (
            lambda s: _mean(s, softmax_vjp(s.p, 2 * (s.p - s.y))),
            lambda s: _mean(s, softmax_vjp(s.p, s.p - s.y)),
        ),
    ),
    Wrong(
        Mistake(
            "one-vs-rest",
            "this is the gradient of a binary cross-entropy for each class, by the probabilities",
            "delta3 = (a2 - y) / (a2 * (1 - a2)) / N",
            _RIGHT,
            "entries grow without bound as a probability goes to 0 or 1",
        ),
        (lambda s: _mean(s, (s.p - s.y) * _inverse(s.p * (1 - s.p))),),
    ),
    Wrong(
        Mistake(
            "logits-for-probabilities",
            "the logits stand where the probabilities belong",
            "delta3 = (z2 - y) / N",
            _RIGHT,
            "entries exceed 1, and the rows of delta3 do not sum to 0",
        ),
        (lambda s: _mean(s, s.z - s.y), lambda s: _mean(s, s.z / s.T - s.y)),
    ),
    Wrong(
        Mistake(
            "labels-shifted",
            "every label is off by one: counted from 1 in one place and from 0 in another",
            "y = eye(C)[labels - 1]",
            "y = eye(C)[labels]",
            "the negative entry of each row of delta3 stands beside the label's column",
        ),
        (lambda s: _shifted(s, -1), lambda s: _shifted(s, 1)),
    ),
    Wrong(
        Mistake(
            "labels-not-one-hot",
            "class indices are subtracted where one-hot rows belong; broadcasting hides it",
            "delta3 = (a2 - labels[:, None]) / N",
            "delta3 = (a2 - eye(C)[labels]) / N",
            "the difference from a2 is the same number in all columns",
        ),
        (_broadcast, _broadcast_across),
    ),
    Wrong(
        Mistake(
            "labels-forgotten",
            "the labels are never subtracted",
            "delta3 = a2 / N",
            _RIGHT,
            "no entry of delta3 is negative",
        ),
        (lambda s: _mean(s, s.p),),
    ),
    Wrong(
        Mistake(
            "temperature-ignored",
            "softmax is taken of z2, not of z2 / T",
            "a2 = softmax(z2)",
            "a2 = softmax(z2 / T)",
            "a2 is the same at every temperature",
        ),
        (
            lambda s: (softmax(s.z) - s.y) / len(s.p),
            lambda s: _mean(s, softmax(s.z) - s.y),
        ),
    ),
    Wrong(
        Mistake(
            "temperature-multiplied",
            "the logits are multiplied by the temperature instead of divided",
            "a2 = softmax(z2 * T)",
            "a2 = softmax(z2 / T)",
            "a higher temperature makes a2 more certain, not less",
        ),
        (
            lambda s: _mean(s, softmax(s.z * s.T) - s.y),
            lambda s: (softmax(s.z * s.T) - s.y) * s.T / len(s.p),
        ),
    ),
)

# Their numbers are fitted to the answer.
SMOOTHED = Mistake(
    "labels-smoothed",
    "the targets are smoothed, though the loss asks for the labels themselves",
    "y = (1 - epsilon) * y + epsilon / C",
    "y = eye(C)[labels]",
    "delta3 - (a2 - y) / N is positive at the label and the same number everywhere else",
)
WEIGHTED = Mistake(
    "rows-weighted",
    "each row has a weight of its own, though the loss weighs all the same",
    "delta3 = row_weights[:, None] * (a2 - y) / N",
    "delta3 = (a2 - y) / N",
    "each row of delta3 is parallel to that of a2 - y, with another factor",
)
