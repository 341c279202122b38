"""The ways in which delta3 and delta2 may have been computed, right and wrong.

Most are formulas of the catalogue. A few hold a number of their own (a learning rate, the slope of
a leaky relu, a smoothing), which is fitted to the answer: they are proposals, judged like the rest.
"""

from typing import NamedTuple

import numpy as np

from model.arrays import Floats
from model.functions import softmax_jacobian
from model.gradients.diagnosis.fitting import Names, Way, stacked
from model.gradients.given import Hidden, Loss, Output, Tensors
from model.gradients.mistakes import deltas, scales, sums
from model.gradients.mistakes.jacobians import JACOBIANS
from model.gradients.mistakes.mistake import arrays
from model.gradients.mistakes.slopes import SLOPES

_RELIABLE = 1e-6  # relative; below, a fitted number is only rounding


class Factor(NamedTuple):
    """A scale that belongs elsewhere, with the number it has here."""

    names: Names
    value: float


def factors(loss: Loss) -> list[Factor]:
    """Of the catalogue, those that are not 1 here."""
    N, C = loss.p.shape
    found = [Factor((scale.mistake,), scale.factor(N, C, loss.T)) for scale in scales.SCALES]
    return [factor for factor in found if factor.value != 1]


def delta3s(loss: Loss) -> list[Way]:
    """delta3, right first, then with one mistake."""
    ways = [Way((), loss.delta3)]
    ways += [Way(names, loss.delta3 * value) for names, value in factors(loss)]
    return ways + _formulas(loss)


def delta3s_with_two(loss: Loss) -> list[Way]:
    """delta3 in a wrong form and of a wrong size at once, and of two wrong sizes."""
    sizes = factors(loss)
    ways = [
        Way(wrong.names + names, wrong.value * value)
        for wrong in _formulas(loss)
        for names, value in sizes
    ]
    ways += [
        Way(first.names + second.names, loss.delta3 * first.value * second.value)
        for i, first in enumerate(sizes)
        for second in sizes[i + 1 :]
    ]
    return ways


def _formulas(loss: Loss) -> list[Way]:
    with np.errstate(all="ignore"):
        found = [
            Way((wrong.mistake,), value) for wrong in deltas.DELTAS for value in arrays(wrong, loss)
        ]
    finite = np.asarray(np.isfinite(stacked(found)).all(axis=(1, 2)))
    return [way for way, usable in zip(found, finite, strict=True) if usable]


def fitted_delta3s(loss: Loss, measured: Floats) -> list[Way]:
    """delta3 with mistakes that have a number of their own, fitted to the delta3 that is shown."""
    N, C = loss.p.shape
    ways = []

    towards_uniform = (loss.y - 1 / C) / (N * loss.T)  # times epsilon, and added
    epsilon = slope_of(measured - loss.delta3, towards_uniform)
    if _RELIABLE < epsilon < 1:
        ways.append(Way((deltas.SMOOTHED,), loss.delta3 + epsilon * towards_uniform, free=1))

    squares = (loss.delta3**2).sum(axis=1)
    weights = (measured * loss.delta3).sum(axis=1) / np.where(squares > 0, squares, 1)
    if np.ptp(weights) > _RELIABLE * np.abs(weights).max() and weights.min() >= 0:
        ways.append(Way((deltas.WEIGHTED,), weights[:, None] * loss.delta3, free=N))
    return ways


def delta2s(hidden: Hidden, delta3: Floats, sizes: list[Factor], posted: Tensors) -> list[Way]:
    """delta2 as it follows from delta3 (N, C), right first, then with one mistake."""
    W2 = hidden.parameters.W2
    back = delta3 @ W2.T
    right = back * hidden.slope
    ways = [Way((), right)]
    ways += [Way((wrong.mistake,), back * f) for wrong in SLOPES for f in arrays(wrong, hidden)]
    ways += [Way(names, right * value) for names, value in sizes]
    if W2.shape[0] == W2.shape[1]:
        ways.append(Way((sums.WEIGHTS_NOT_TRANSPOSED,), (delta3 @ W2) * hidden.slope))
    return ways + _fitted_delta2s(hidden, delta3, back, posted)


def _fitted_delta2s(hidden: Hidden, delta3: Floats, back: Floats, posted: Tensors) -> list[Way]:
    ways = []
    right = back * hidden.slope

    # The update held the weight decay, or only the data's part of the gradient.
    for decay in dict.fromkeys((hidden.decay, 0.0)):
        step = hidden.a1.T @ delta3 + decay * hidden.parameters.W2
        of_step = (delta3 @ step.T) * hidden.slope
        rate = -_coefficient(hidden, right, of_step, posted)
        if rate > _RELIABLE:
            ways.append(Way((sums.WEIGHTS_UPDATED,), right - rate * of_step, free=1))

    if hidden.activation.name == "relu":
        off = back * (1 - hidden.slope)
        leak = _coefficient(hidden, right, off, posted)
        if _RELIABLE < leak < 1 - _RELIABLE:
            ways.append(Way((sums.LEAKY,), right + leak * off, free=1))
    return ways


def _coefficient(hidden: Hidden, right: Floats, extra: Floats, posted: Tensors) -> float:
    """C such that delta2 = right + c extra explains what was posted best; 0 when nothing was."""
    W1, b1, _, _ = hidden.parameters
    shapes = {"delta2": right.shape, "dW1": W1.shape, "db1": b1.shape}
    name = next((n for n, shape in shapes.items() if n in posted and posted[n].shape == shape), "")
    if name == "delta2":
        return slope_of(posted[name] - right, extra)
    if name == "dW1":
        data = posted[name] - hidden.decay * W1
        return slope_of(data - hidden.x.T @ right, hidden.x.T @ extra)
    if name == "db1":
        return slope_of(posted[name] - right.sum(axis=0), extra.sum(axis=0))
    return 0.0


def slope_of(values: Floats, direction: Floats) -> float:
    """The multiple of a direction that is closest to the values; 0 where either vanishes."""
    square = float(np.vdot(direction, direction))
    return float(np.vdot(direction, values)) / square if square else 0.0


def jacobians(output: Output) -> list[Way]:
    """The softmax Jacobian, right first, then with one mistake, then of a wrong size too."""
    right = softmax_jacobian(output.z / output.T) / output.T
    with np.errstate(all="ignore"):
        ways = [
            Way((wrong.mistake,), value) for wrong in JACOBIANS for value in arrays(wrong, output)
        ]
    ways = [Way((), right), *(way for way in ways if np.isfinite(way.value).all())]
    return ways + [
        Way((*way.names, scale.mistake), way.value * factor)
        for scale in scales.JACOBIAN_SCALES
        if (factor := scale.factor(output.T)) != 1
        for way in ways
    ]
