"""Two questions before the first epoch, whose wrong answers would waste all the others."""

import math

import numpy as np

from model.arrays import Floats
from model.errors import PreflightError
from model.functions import Activation, cross_entropy
from model.gradients import complex_step_slope, reference_loss
from model.network import Parameters, backward, forward

# Float64 rounding leaves about 1e-13 of a gradient; the smallest real mistake is near 1e-2.
_AGREEMENT = 1e-8


def preflight(
    parameters: Parameters, x: Floats, y: Floats, activation: Activation, rng: np.random.Generator
) -> None:
    """Check the starting loss and the backprop on the first batch.

    Args:
        parameters: the starting weights.
        x: (N, D), the first batch, standardised.
        y: (N, C), its targets; rows sum to 1.
        activation: f.
        rng: draws the directions along which gradients are compared.

    Raises:
        PreflightError: says which check failed and by how much.
    """
    exact = Parameters(*(array.astype(np.float64) for array in parameters))
    inputs = x.astype(np.float64)
    targets = y / y.sum(axis=1, keepdims=True, dtype=np.float64)  # float32 sums to almost 1

    trace = forward(exact, inputs, activation)
    _check_loss(cross_entropy(trace.z2, y.argmax(axis=1)), y.shape[1])

    gradients = backward(exact, inputs, trace, targets, activation)
    for name, at in exact._asdict().items():
        loss = reference_loss(exact, inputs, targets, activation.name, of=name)
        along = rng.normal(size=at.shape)
        _check_slope(name, getattr(gradients, name), along, complex_step_slope(loss, at, along))


def _check_loss(loss: float, classes: int) -> None:
    limit = 2 * math.log(classes)
    if not loss < limit:
        raise PreflightError(
            f"the loss before training is {loss:.3g} nats; expected less than "
            f"2 ln {classes} = {limit:.3g}, since the network knows nothing yet. "
            "Look for features with a few huge values"
        )


def _check_slope(name: str, gradient: Floats, along: Floats, measured: float) -> None:
    claimed = float(np.vdot(gradient, along))
    size = float(np.linalg.norm(gradient) * np.linalg.norm(along))
    # Where a gradient cancels to 0, as with constant features, only rounding is left of it.
    if not abs(claimed - measured) <= _AGREEMENT * size + 1e-12:
        raise PreflightError(
            f"backprop of {name} disagrees with its measured slope: {claimed:.9g} against "
            f"{measured:.9g}; this is a bug in softlens"
        )
