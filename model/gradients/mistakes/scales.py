"""Gradients of the wrong size: factors of delta3, and of everything at once."""

from collections.abc import Callable
from typing import NamedTuple

from model.gradients.mistakes.mistake import Mistake


class Scale(NamedTuple):
    """A factor that belongs elsewhere; of N rows, C classes and temperature T."""

    mistake: Mistake
    factor: Callable[[int, int, float], float]


SCALES = (
    Scale(
        Mistake(
            "sum-instead-of-mean",
            "the loss is a mean over the rows, so its gradient is divided by N; "
            "right if your loss is the sum",
            "delta3 = a2 - y",
            "delta3 = (a2 - y) / N",
            "the gradient grows with the batch",
            convention=True,
        ),
        lambda N, C, T: N,
    ),
    Scale(
        Mistake(
            "mean-taken-twice",
            "the gradient is divided by N in two places",
            "delta3 = (a2 - y) / N; dW2 = a1.T @ delta3 / N",
            "delta3 = (a2 - y) / N; dW2 = a1.T @ delta3",
            "the gradient shrinks as the batch grows",
        ),
        lambda N, C, T: 1 / N,
    ),
    Scale(
        Mistake(
            "mean-over-classes",
            "the mean runs over rows and classes, where the loss is a mean over rows alone",
            "delta3 = (a2 - y) / a2.size",
            "delta3 = (a2 - y) / N",
            "the gradient is C times too small",
        ),
        lambda N, C, T: 1 / C,
    ),
    Scale(
        Mistake(
            "classes-multiplied",
            "the gradient is C times too large",
            "delta3 = (a2 - y) * C / N",
            "delta3 = (a2 - y) / N",
            "-delta3 / (1 - a2) at the label is C / N",
        ),
        lambda N, C, T: C,
    ),
    Scale(
        Mistake(
            "delta3-negated",
            "the difference is the wrong way round; right if the update adds the gradient, "
            "provided that weight decay is negated too",
            "delta3 = (y - a2) / N",
            "delta3 = (a2 - y) / N",
            "the positive entry of each row stands at the label; the loss grows",
        ),
        lambda N, C, T: -1,
    ),
    Scale(
        Mistake(
            "doubled",
            "the gradient is twice too large, as that of a squared error would be",
            "delta3 = 2 * (a2 - y) / N",
            "delta3 = (a2 - y) / N",
            "-delta3 / (1 - a2) at the label is 2 / N",
        ),
        lambda N, C, T: 2,
    ),
    Scale(
        Mistake(
            "halved",
            "the gradient is half of what it should be",
            "delta3 = (a2 - y) / (2 * N)",
            "delta3 = (a2 - y) / N",
            "-delta3 / (1 - a2) at the label is 1 / (2 N)",
        ),
        lambda N, C, T: 0.5,
    ),
    Scale(
        Mistake(
            "temperature-not-divided",
            "softmax is taken of z2 / T, so the chain rule divides by T once more",
            "delta3 = (a2 - y) / N",
            "delta3 = (a2 - y) / (N * T)",
            "the gradient is T times too large",
        ),
        lambda N, C, T: T,
    ),
    Scale(
        Mistake(
            "temperature-divided-twice",
            "the chain rule divides by the temperature once, not twice",
            "delta3 = (a2 - y) / (N * T**2)",
            "delta3 = (a2 - y) / (N * T)",
            "the gradient is T times too small",
        ),
        lambda N, C, T: 1 / T,
    ),
)

NEGATIVE = Mistake(
    "negative-gradient",
    "everything has the opposite sign; right if the update adds: W += learning_rate * g",
    "dW = -(x.T @ delta)",
    "dW = x.T @ delta",
    "a small step along it makes the loss smaller, not larger",
    convention=True,
)
STEP = Mistake(
    "learning-rate-folded-in",
    "everything, weight decay too, is multiplied by one number: this is an update, not a gradient",
    "dW = learning_rate * (x.T @ delta + weight_decay * W)",
    "dW = x.T @ delta + weight_decay * W",
    "the ratio to the measured slope is the same in every entry of every tensor",
    convention=True,
)
ACCUMULATED = Mistake(
    "accumulated",
    "everything, weight decay too, is a whole number of times too large: gradients were added up "
    "and not set to 0 between passes",
    "dW += x.T @ delta  # on top of the last batch's",
    "dW = x.T @ delta",
    "a second pass over the same batch gives other numbers than the first",
)
ADAM = Mistake(
    "adam-step",
    "all entries have one size: this is the first step of an optimizer that divides by the "
    "gradient's own size, not the gradient",
    "dW = learning_rate * m / (np.sqrt(v) + epsilon)",
    "dW = x.T @ delta",
    "only the signs of the gradient are left",
    convention=True,
)


class JacobianScale(NamedTuple):
    """A factor that does not belong there, of the temperature T."""

    mistake: Mistake
    factor: Callable[[float], float]


JACOBIAN_SCALES = (
    JacobianScale(
        Mistake(
            "jacobian-negated",
            "the difference is the wrong way round",
            "J = np.outer(p, p) - np.diag(p)",
            "J = np.diag(p) - np.outer(p, p)",
            "the diagonal is negative",
        ),
        lambda T: -1,
    ),
    JacobianScale(
        Mistake(
            "temperature-not-divided",
            "softmax is taken of z / T, so the chain rule divides by T once more",
            "J = np.diag(p) - np.outer(p, p)",
            "J = (np.diag(p) - np.outer(p, p)) / T",
            "the Jacobian is T times too large",
        ),
        lambda T: T,
    ),
    JacobianScale(
        Mistake(
            "temperature-divided-twice",
            "the chain rule divides by the temperature once, not twice",
            "J = (np.diag(p) - np.outer(p, p)) / T**2",
            "J = (np.diag(p) - np.outer(p, p)) / T",
            "the Jacobian is T times too small",
        ),
        lambda T: 1 / T,
    ),
)
