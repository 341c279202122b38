"""How precise somebody's numbers are, read off the numbers themselves.

A gradient printed with four digits is right when it is right to four digits. Each precision has a
tolerance, relative to the largest entry: half a unit of the last place that was kept, or what
rounding may have done on the way.
"""

import math
import re
from typing import NamedTuple

import numpy as np

from model.arrays import Floats
from model.errors import InvalidInputError

FLOAT64 = "float64"
FLOAT32 = "float32"
FLOAT16 = "float16"
ROUNDOFF = {FLOAT64: 2.0**-53, FLOAT32: 2.0**-24, FLOAT16: 2.0**-11}

_MOST_DIGITS = 15  # that every float64 can keep
_FLOAT32_DIGITS = 9  # at which float32 are printed, so that they are read back as they were
_FEWEST_DIGITS = 3  # fewer of them decide nothing, and more of them are seldom a float16


class Precision(NamedTuple):
    """A name to show, and what it allows."""

    name: str  # float64, float32, float16, or such as "4 digits"
    roundoff: float  # of the arithmetic that may have been used: half a unit of its last place
    printed: float  # half a unit of the last digit that was kept, absolute; 0 for all of them


def inferred(values: Floats) -> Precision:
    """The precision of a tensor, from nothing but its finite numbers.

    Digits come first: what has at most nine of them may have been computed in float32.
    """
    found = values[np.isfinite(values) & (values != 0)]
    digits = _most_digits(found)
    if not digits or _cut_to_integers(values, digits):
        return named(FLOAT64, values)
    with np.errstate(over="ignore"):
        single = found.astype(np.float32)
        in_single = bool((single == found).all())
        # Whatever float16 holds, float32 holds too.
        in_half = in_single and bool((found.astype(np.float16) == found).all())
    if digits > _FEWEST_DIGITS and in_half:
        return named(FLOAT16, values)
    if digits < _FLOAT32_DIGITS - 2:
        return _printed(digits, values)
    if in_single:
        return named(FLOAT32, values)
    if all(float(str(short)) == wide for short, wide in zip(single, found, strict=True)):
        return _printed(digits, values)._replace(name=FLOAT32)  # the shortest texts of float32
    return _printed(digits, values) if digits <= _MOST_DIGITS else named(FLOAT64, values)


def _cut_to_integers(values: Floats, digits: int) -> bool:
    """Whether whole numbers look like those of an integer dtype, which keeps no small ones.

    That is a mistake and not a way of printing; but three digits of 333.3 are a whole number too.
    """
    return bool(
        digits < _FEWEST_DIGITS and (values == 0).any() and np.array_equal(values, np.rint(values))
    )


def named(name: str, values: Floats) -> Precision:
    """The precision that somebody says these numbers have.

    Args:
        name: `float64`, `float32`, `float16`, or `4 digits`, with any number from 1 to 15.
        values: of which the last digit kept is half a unit wrong at most.

    Raises:
        InvalidInputError: `invalid-value`: there is no such precision.
    """
    if name in ROUNDOFF:
        return Precision(name, ROUNDOFF[name], 0.0)
    match = re.fullmatch(r"([0-9]{1,2})( digits?)?", name)
    if match is None or not 1 <= int(match[1]) <= _MOST_DIGITS:
        detail = f"expected {', '.join(ROUNDOFF)} or a number of digits, such as `4 digits`"
        raise InvalidInputError("invalid-value", detail, name="precision")
    return _printed(int(match[1]), values)


def _printed(digits: int, values: Floats) -> Precision:
    finite = np.abs(values[np.isfinite(values)])
    largest = finite.max(initial=0.0)
    place = math.floor(math.log10(largest)) - digits + 1 if largest else 0
    roundoff = ROUNDOFF[FLOAT32] if digits <= _FLOAT32_DIGITS else ROUNDOFF[FLOAT64]
    name = f"{digits} digits" if digits > 1 else "1 digit"
    return Precision(name, roundoff, 0.5 * 10.0**place)


def _most_digits(values: Floats) -> int:
    """Of all the numbers; one with more than decimals are read for settles it."""
    most = 0
    for value in values.tolist():
        most = max(most, _digits(value))
        if most > _MOST_DIGITS:
            break
    return most


def _digits(value: float) -> int:
    """How many significant digits the shortest text of a number has."""
    mantissa = repr(abs(value)).partition("e")[0]
    return len(mantissa.replace(".", "").strip("0")) or 1
