"""Slopes measured with real steps, each with what rounding and curvature leave of it.

The rule kept here: no tolerance is chosen by hand. What cannot be told from rounding is measured
on the function itself, and said. Equation numbers are those of docs/mathematics.md.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from model.arrays import Float64s, Floats
from model.network import Parameters

# Real on real arrays; a complex answer counts by its real part, so that `reference_loss` will do.
Function: TypeAlias = Callable[[Floats], complex]

_EPS = float(np.finfo(np.float64).eps)
_RATIO = 10**0.5  # between neighbouring steps
_STEPS = _RATIO ** -np.arange(21.0)  # 1 to 1e-10, relative to the size of x
_TWO_DECADES = 5  # steps


class CentralDifference(NamedTuple):
    """A measured slope, how far it may be off, and the sweep of steps it was chosen from."""

    slope: float
    uncertainty: float  # of rounding and truncation together
    step: float
    steps: Float64s  # (S,), falling
    slopes: Float64s  # (S,)
    uncertainties: Float64s  # (S,)


class TaylorRemainder(NamedTuple):
    """How fast f(x + h d) leaves the line that a claimed slope draws."""

    order: float | None  # 2: the claim is right, 1: it is wrong; None: nothing but rounding is seen
    steps: Float64s  # (S,), falling
    remainders: Float64s  # (S,), at least 0
    floors: Float64s  # (S,), at or below which a remainder may be rounding alone
    used: slice  # the steps through which the order was fitted


class Kink(NamedTuple):
    """A hidden unit of relu that turns on or off on the way."""

    row: int
    unit: int
    step: float  # from x to the kink, in units of the direction; negative: on the way to x - h d


class _Sweep(NamedTuple):
    """A function at x and on both sides of it, for every step."""

    steps: Float64s  # (S,)
    below: Float64s  # (S,), f(x - h d)
    here: float
    above: Float64s  # (S,), f(x + h d)
    noise: Float64s  # (S,), the most that rounding moves one value


def central_differences(function: Function, at: Floats, along: Floats) -> CentralDifference:
    """Slope of a function along a direction, from the best of many steps.

        s(h) = (f(x + h d) - f(x - h d)) / 2h
        uncertainty(h) = noise(h) / h + max(|s(h) - s(wider)|, |s(h) - s(finer)|)

    Args:
        function: real, with one smooth piece around x; about 40 evaluations.
        at: (...), float64, x.
        along: (...), d, not 0.

    Returns:
        The slope of least uncertainty, about 1e-10 of the function's size where it is smooth.

    Source: docs/mathematics.md, equation 35.
    """
    steps, below, _, above, noise = _sweep(function, at, along)
    slopes = (above - below) / (2 * steps)

    apart = np.abs(np.diff(slopes))
    truncation = np.maximum(np.append(apart, 0), np.insert(apart, 0, apart[0]))
    uncertainties = noise / steps + truncation

    best = int(uncertainties.argmin())
    return CentralDifference(
        float(slopes[best]), float(uncertainties[best]), float(steps[best]),
        steps, slopes, uncertainties,
    )  # fmt: skip


def taylor_remainder(
    function: Function, at: Floats, along: Floats, claimed: float
) -> TaylorRemainder:
    """Whether a claimed slope is right, with no step and no tolerance to choose.

        remainder(h) = |f(x + h d) - f(x) - h s|  =  h |s_true - s| + O(h^2)

    The order is fitted, in logarithms, through the finest two decades of steps whose remainder
    stands ten times above rounding.

    Args:
        function: real, with one smooth piece around x; about 40 evaluations.
        at: (...), float64, x.
        along: (...), d, not 0.
        claimed: s = <gradient, d>.

    Returns:
        Order 2 for a right slope (3 at a point of inflection) and 1 for a wrong one. None where
        fewer than three remainders stand out, or those that do are beyond a kink: around x then
        f is straight along d as far as can be seen, and a wrong slope would have been seen, so the
        claim is right to rounding.

    Source: docs/mathematics.md, equation 36.
    """
    steps, _, here, above, noise = _sweep(function, at, along)
    remainders = np.abs(above - here - steps * claimed)

    # Three values are rounded; a remainder is of use when that is at most a tenth of it.
    floors = 10 * (2 * noise + _EPS * np.abs(steps * claimed))
    buried = np.flatnonzero(remainders <= floors)
    end = int(buried[0]) if len(buried) else len(steps)
    used = slice(max(0, end - _TWO_DECADES), end)

    if end < 3 or _fell_off(remainders, floors, end):
        return TaylorRemainder(None, steps, remainders, floors, slice(0, 0))
    order, _ = np.polyfit(np.log(steps[used]), np.log(remainders[used]), 1)
    return TaylorRemainder(float(order), steps, remainders, floors, used)


def _fell_off(remainders: Float64s, floors: Float64s, end: int) -> bool:
    """True when the last remainder above rounding is too large to be followed by one below.

    From one step to the next even third order shrinks by the ratio cubed, no more. What falls
    faster was a kink further out, and the function is straight between it and x.
    """
    return end < len(floors) and bool(remainders[end - 1] > _RATIO**3 * floors[end])


def crossed_kinks(
    parameters: Parameters, x: Floats, of: str, along: Floats, step: float
) -> list[Kink]:
    """The hidden units of relu whose z1 changes sign between x - h d and x + h d.

    A difference over that step mixes two slopes and is to be believed by nobody.

    Args:
        parameters: float64, where to stand.
        x: (N, D).
        of: what moves: a parameter such as `W1`, or `inputs`.
        along: d, of the shape of what moves.
        step: h, above 0.

    Returns:
        The nearest first. Empty for a step in W2 or b2, which move no z1.

    Source: docs/mathematics.md, equation 37.
    """
    z1 = x @ parameters.W1 + parameters.b1
    speed = np.broadcast_to(_speed(parameters, x, of, along), z1.shape)

    crossed = np.sign(z1 - step * speed) * np.sign(z1 + step * speed) < 0
    kinks = [
        Kink(int(row), int(unit), float(-z1[row, unit] / speed[row, unit]))
        for row, unit in np.argwhere(crossed)
    ]
    return sorted(kinks, key=lambda kink: abs(kink.step))


def _speed(parameters: Parameters, x: Floats, of: str, along: Floats) -> Floats:
    """How z1 moves with the step: it is affine in each of the arrays alone."""
    match of:
        case "inputs":
            return along @ parameters.W1
        case "W1":
            return x @ along
        case "b1":
            return along
    return np.zeros_like(parameters.b1)


def _sweep(function: Function, at: Floats, along: Floats) -> _Sweep:
    """Evaluate, and measure the noise.

    Where steps are tiny f(x + h d) - 2 f(x) + f(x - h d) is nothing but noise, of the function and
    of the rounded x + h d. No value has less than its own last digit.
    """
    steps = _STEPS * max(1.0, float(np.abs(at).max())) / float(np.abs(along).max())
    here = float(np.real(function(at)))
    above = np.array([np.real(function(at + h * along)) for h in steps], np.float64)
    below = np.array([np.real(function(at - h * along)) for h in steps], np.float64)

    seen = np.abs(above - 2 * here + below)[-_TWO_DECADES:].max()
    own = _EPS * np.maximum(np.maximum(np.abs(above), np.abs(below)), abs(here))
    return _Sweep(steps, below, here, above, seen + own)
