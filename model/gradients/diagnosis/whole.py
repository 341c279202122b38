"""Explanations of an answer as a whole: updates for gradients, other layouts, no numbers at all."""

import numpy as np

from model.arrays import Floats
from model.gradients.chain import known
from model.gradients.diagnosis.candidates import other_layouts
from model.gradients.diagnosis.fitting import Posted, distances
from model.gradients.diagnosis.layers import unique
from model.gradients.diagnosis.search import Explanation
from model.gradients.diagnosis.ways import factors
from model.gradients.given import Given, Tensors
from model.gradients.mistakes import layouts, scales
from model.gradients.mistakes.mistake import Mistake

_EQUAL_SIZES = 1e-3  # relative; an optimizer's epsilon makes them differ a little
_LARGE = 1e-3  # of the largest entry of the gradient: where that epsilon is nothing


def nothing_more(right: Tensors, posted: dict[str, Posted]) -> Explanation | None:
    """The right numbers: all that was wrong is their layout."""
    return _if_it_fits((), right, posted, 0)


def one_factor(given: Given, right: Tensors, posted: dict[str, Posted]) -> Explanation | None:
    """All tensors times one number: the other sign, an update, several passes added up.

    Without weight decay a factor of the catalogue, such as N, looks the same; it is named instead.
    """
    values = {name: tensor.value for name, tensor in posted.items()}
    if "jacobian" in right or any(values[name].shape != right[name].shape for name in values):
        return None
    square = sum(float(np.vdot(right[name], right[name])) for name in values)
    if not square:
        return None
    factor = sum(float(np.vdot(right[name], values[name])) for name in values) / square
    mistake, free = scales.STEP, 1
    if _known_as_scale(given, factor):
        return None
    if abs(factor + 1) < 1e-3:
        mistake, factor, free = scales.NEGATIVE, -1.0, 0
    elif factor > 1.5 and abs(factor - round(factor)) < 1e-3:
        mistake, factor = scales.ACCUMULATED, float(round(factor))
    return _if_it_fits((mistake,), {name: factor * right[name] for name in values}, posted, free)


def _known_as_scale(given: Given, factor: float) -> bool:
    if given.hidden is not None and given.hidden.decay:
        return False
    return any(
        abs(factor / other - 1) < 1e-3 for _, other in factors(known(given.loss)) if other > 0
    )


def one_size(right: Tensors, posted: dict[str, Posted]) -> Explanation | None:
    """All entries of one size, with the signs of the gradient or all of them turned."""
    if "jacobian" in right or any(posted[n].value.shape != right[n].shape for n in posted):
        return None
    values = np.concatenate([tensor.value.ravel() for tensor in posted.values()])
    expected = np.concatenate([right[name].ravel() for name in posted])
    large = np.abs(expected) > _LARGE * np.abs(expected).max()
    sizes = np.abs(values[large])
    if len(sizes) < 4 or np.ptp(sizes) > _EQUAL_SIZES * sizes.max() or sizes.max() == 0:
        return None
    for sign in (1, -1):
        if np.array_equal(np.sign(values), sign * np.sign(expected)):
            return Explanation((scales.ADAM,), float(np.ptp(sizes) / sizes.max()), (), 1)
    return None


def whole_numbers(right: Tensors, posted: dict[str, Posted]) -> Explanation | None:
    """What is left of the right numbers in an array of integers."""
    cuts = (np.trunc, np.rint, np.floor)
    for cut in cuts:
        expected = {name: cut(right[name]) for name in posted}
        if all(np.array_equal(tensor.value, expected[name]) for name, tensor in posted.items()):
            return Explanation((layouts.INTEGER_DTYPE,), 0.0, (), 0)
    return None


def other_places(right: Tensors, posted: dict[str, Posted]) -> Explanation | None:
    """The right numbers in another order, or under another name of the same shape."""
    names: list[Mistake] = []
    for name, (value, tolerance) in posted.items():
        if value.shape != right[name].shape:
            return None
        if _close(value, right[name], tolerance):
            continue
        found = [
            mistake
            for mistake, turned in other_layouts(value, right[name])
            if _close(turned, right[name], tolerance)
        ]
        found += [
            layouts.SWAPPED
            for other, array in right.items()
            if other != name and array.shape == value.shape and _close(value, array, tolerance)
        ]
        if not found:
            return None
        names.append(found[0])
    return Explanation(unique(names), 0.0, (), 0) if names else None


def why_not_finite(given: Given) -> Mistake:
    """Of numbers that are none: whether exp must have overflowed or underflowed here."""
    z = given.output.z / given.output.T
    if z.max() > np.log(np.finfo(np.float32).max):
        return layouts.OVERFLOW
    lowest = np.log(np.finfo(np.float32).smallest_subnormal)
    if (z.max(axis=1) - z.max()).min() < lowest or z.max(axis=1).min() < lowest:
        return layouts.SHIFT_OVER_BATCH
    return layouts.NOT_FINITE


def _if_it_fits(
    names: tuple[Mistake, ...], predicted: Tensors, posted: dict[str, Posted], free: int
) -> Explanation | None:
    if any(predicted[name].shape != tensor.value.shape for name, tensor in posted.items()):
        return None
    errors = [
        (float(distances(predicted[name][None], tensor.value)[0]), tensor.tolerance)
        for name, tensor in posted.items()
    ]
    if any(error > tolerance for error, tolerance in errors):
        return None
    return Explanation(names, max(error for error, _ in errors), (), free)


def _close(one: Floats, other: Floats, tolerance: float) -> bool:
    return float(distances(one[None], other)[0]) <= tolerance
