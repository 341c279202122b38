"""Wrong ways to write delta2 = (delta3 W2^T) f'(z1): the derivative of the activation.

For relu f'(z) is 1 where z > 0; for tanh it is 1 - a^2.
"""

import numpy as np

from model.arrays import Floats
from model.gradients.given import Hidden
from model.gradients.mistakes.mistake import Mistake, Wrong

_RIGHT = "delta2 = (delta3 @ W2.T) * f_prime(z1)  # relu: z1 > 0; tanh: 1 - a1**2"


def _relu(s: Hidden) -> bool:
    return s.activation.name == "relu"


def _at_activation(s: Hidden) -> Floats:
    return s.activation.derivative(s.a1, s.activation.function(s.a1))


def _of_the_other(s: Hidden) -> Floats:
    return 1 - np.square(s.a1) if _relu(s) else (s.z1 > 0).astype(np.float64)


def _tanh(s: Hidden) -> bool:
    return s.activation.name == "tanh"


SLOPES: tuple[Wrong[Hidden], ...] = (
    Wrong(
        Mistake(
            "slope-omitted",
            "the derivative of the activation is left out of delta2",
            "delta2 = delta3 @ W2.T",
            _RIGHT,
            "delta2 / (delta3 @ W2.T) is 1 everywhere",
        ),
        (lambda s: np.ones_like(s.z1),),
    ),
    Wrong(
        Mistake(
            "slope-at-activation",
            "f' is evaluated at a1 = f(z1) instead of at z1",
            "delta2 = (delta3 @ W2.T) * (1 - np.tanh(a1)**2)",
            _RIGHT,
            "for tanh, the derivative never falls below 0.42 = 1 - tanh(1)^2",
        ),
        (_at_activation,),
    ),
    Wrong(
        Mistake(
            "slope-of-sigmoid",
            "a1 (1 - a1) is the derivative of the sigmoid, not of this activation",
            "delta2 = (delta3 @ W2.T) * a1 * (1 - a1)",
            _RIGHT,
            "the derivative is negative where a1 is, or where it is above 1",
        ),
        (lambda s: s.a1 * (1 - s.a1),),
    ),
    Wrong(
        Mistake(
            "mask-closed",
            "a1 >= 0 is true everywhere, since relu is never negative: dead units pass a gradient",
            "delta2 = (delta3 @ W2.T) * (a1 >= 0)",
            "delta2 = (delta3 @ W2.T) * (z1 > 0)",
            "delta2 is not 0 where z1 is negative",
        ),
        (lambda s: np.ones_like(s.z1),),
        _relu,
    ),
    Wrong(
        Mistake(
            "slope-inverted",
            "the derivative is taken from 1: for relu, the mask is upside down",
            "delta2 = (delta3 @ W2.T) * (z1 <= 0)",
            _RIGHT,
            "for relu, delta2 is 0 exactly where z1 is positive",
        ),
        (lambda s: 1 - s.slope,),
    ),
    Wrong(
        Mistake(
            "slope-of-other-activation",
            "the derivative belongs to the other activation",
            "delta2 = (delta3 @ W2.T) * (1 - a1**2)  # with relu; (z1 > 0) with tanh",
            _RIGHT,
            "for tanh, the derivative is only ever 0 or 1",
        ),
        (_of_the_other,),
    ),
    Wrong(
        Mistake(
            "slope-unsquared",
            "the derivative of tanh is 1 - a1^2, with a square",
            "delta2 = (delta3 @ W2.T) * (1 - a1)",
            "delta2 = (delta3 @ W2.T) * (1 - a1**2)",
            "the derivative exceeds 1 where a1 is negative",
        ),
        (lambda s: 1 - s.a1,),
        _tanh,
    ),
    Wrong(
        Mistake(
            "slope-of-pre-activation",
            "the formula 1 - a^2 is applied to z1, which is not yet an activation",
            "delta2 = (delta3 @ W2.T) * (1 - z1**2)",
            "delta2 = (delta3 @ W2.T) * (1 - a1**2)",
            "the derivative is negative where z1 is beyond 1",
        ),
        (lambda s: 1 - np.square(s.z1),),
        _tanh,
    ),
    Wrong(
        Mistake(
            "activation-for-slope",
            "delta2 is multiplied by the activation itself, not by its derivative",
            "delta2 = (delta3 @ W2.T) * a1",
            _RIGHT,
            "delta2 / (delta3 @ W2.T) equals a1",
        ),
        (lambda s: s.a1,),
    ),
    Wrong(
        Mistake(
            "gradient-stopped",
            "nothing comes back to the hidden layer: something in the forward pass has no "
            "derivative (a threshold, a rounding), or the chain was cut",
            "delta2 = np.zeros_like(z1)",
            _RIGHT,
            "dW1 is 0 but for its weight decay, while the loss does move with W1",
        ),
        (lambda s: np.zeros_like(s.z1),),
    ),
)
