"""Explanations of an answer as a whole: updates for gradients, other layouts."""

import numpy as np

from model.arrays import Floats
from model.gradients.chain import known
from model.gradients.diagnosis.alone import SHOWN_ONLY, Alone
from model.gradients.diagnosis.candidates import other_layouts
from model.gradients.diagnosis.fitting import Posted, distances
from model.gradients.diagnosis.layers import unique
from model.gradients.diagnosis.search import Explanation
from model.gradients.diagnosis.ways import factors
from model.gradients.given import Given, Tensors
from model.gradients.mistakes import layouts, scales
from model.gradients.mistakes.mistake import Mistake

_EQUAL_SIZES = 1e-3  # relative; an optimizer's epsilon makes them differ a little
_BLURRED = 0.05  # relative; a single digit is a multiple of too many things
_LARGE = 1e-3  # of the largest entry of the gradient: where that epsilon is nothing


def nothing_more(right: Tensors, posted: dict[str, Posted]) -> Explanation | None:
    """The right numbers: all that was wrong is their layout."""
    return _if_it_fits((), right, posted, 0)


def one_factor(given: Given, right: Tensors, posted: dict[str, Posted]) -> Explanation | None:
    """All tensors times one number: the other sign, an update, several passes added up.

    Without weight decay a factor of the catalogue, such as N, looks the same; it is named instead.
    """
    if "jacobian" in right or any(posted[n].value.shape != right[n].shape for n in posted):
        return None
    if max(tensor.tolerance for tensor in posted.values()) > _BLURRED:
        return None
    low, high = _factors(right, posted)
    if not low <= high < np.inf or _known_as_scale(given, low, high):
        return None
    mistake, factor, free = scales.STEP, (low + high) / 2, 1
    if low <= -1 <= high:
        mistake, factor, free = scales.NEGATIVE, -1.0, 0
    elif factor > 1.5 and low <= round(factor) <= high:
        mistake, factor = scales.ACCUMULATED, float(round(factor))
    return _if_it_fits((mistake,), {name: factor * right[name] for name in posted}, posted, free)


def _factors(right: Tensors, posted: dict[str, Posted]) -> tuple[float, float]:
    """The smallest and the largest factor that meets every entry; in this order if there is any."""
    low, high = -np.inf, np.inf
    for name, (value, tolerance, _) in posted.items():
        size = np.abs(right[name])
        usable = size > _LARGE * size.max()
        ratio = value[usable] / right[name][usable]
        room = tolerance * np.abs(value).max() / size[usable]
        low = max(low, float((ratio - room).max(initial=-np.inf)))
        high = min(high, float((ratio + room).min(initial=np.inf)))
    return low, high


def _known_as_scale(given: Given, low: float, high: float) -> bool:
    if given.hidden is not None and given.hidden.decay:
        return False
    return any(low <= factor <= high for _, factor in factors(known(given.loss)) if factor > 0)


def one_mistake(right: Tensors, alone: Alone, posted: dict[str, Posted]) -> Explanation | None:
    """A single mistake, made wherever it can be: most answers need no search.

    None where the right answer may be meant: then the search decides.
    """
    if "jacobian" in right or any(posted[n].value.shape != right[n].shape for n in posted):
        return None
    left = np.array(
        [k for k, mistake in enumerate(alone.mistakes) if mistake.slug not in SHOWN_ONLY]
    )
    errors, right_fits = np.zeros(len(left)), True
    for name in sorted(posted, key=lambda name: posted[name].value.size):
        value, tolerance, noise = posted[name]
        right_fits = right_fits and distances(right[name][None], value, noise)[0] <= tolerance
        found = distances(alone.tensors[name][left], value, noise)
        fits = found <= tolerance
        left, errors = left[fits], np.maximum(errors, found)[fits]
    if right_fits or not len(left):
        return None
    best = int(errors.argmin())
    error = float(errors[best])
    return Explanation((alone.mistakes[left[best]],), error, (), 0, explained_error=error)


def one_size(right: Tensors, posted: dict[str, Posted]) -> Explanation | None:
    """All entries of one size, though the gradient's are not, with its signs or all turned."""
    if "jacobian" in right or any(posted[n].value.shape != right[n].shape for n in posted):
        return None
    values = np.concatenate([tensor.value.ravel() for tensor in posted.values()])
    expected = np.concatenate([right[name].ravel() for name in posted])
    large = np.abs(expected) > _LARGE * np.abs(expected).max()
    sizes = np.abs(values[large])
    if len(sizes) < 4 or np.ptp(sizes) > _EQUAL_SIZES * sizes.max() or sizes.max() == 0:
        return None
    if np.ptp(np.abs(expected[large])) <= _EQUAL_SIZES * np.abs(expected).max():
        return None
    for sign in (1, -1):
        if np.array_equal(np.sign(values), sign * np.sign(expected)):
            return Explanation((scales.ADAM,), float(np.ptp(sizes) / sizes.max()), (), 1)
    return None


def whole_numbers(right: Tensors, posted: dict[str, Posted]) -> Explanation | None:
    """What is left of the right numbers in an array of integers."""
    if any((tensor.value != np.rint(tensor.value)).any() for tensor in posted.values()):
        return None
    for cut in (np.trunc, np.rint, np.floor):
        expected = {name: cut(right[name]) for name in posted}
        if all(np.array_equal(tensor.value, expected[name]) for name, tensor in posted.items()):
            return Explanation((layouts.INTEGER_DTYPE,), 0.0, (), 0)
    return None


def other_places(right: Tensors, posted: dict[str, Posted]) -> Explanation | None:
    """The right numbers in another order, or under another name of the same shape."""
    names: list[Mistake] = []
    for name, (value, tolerance, _) in posted.items():
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


def _if_it_fits(
    names: tuple[Mistake, ...], predicted: Tensors, posted: dict[str, Posted], free: int
) -> Explanation | None:
    if any(predicted[name].shape != tensor.value.shape for name, tensor in posted.items()):
        return None
    error = 0.0
    for name in sorted(posted, key=lambda name: posted[name].value.size):  # the small ones tell it
        tensor = posted[name]
        off = float(distances(predicted[name][None], tensor.value)[0])
        if off > tensor.tolerance:
            return None
        error = max(error, off)
    return Explanation(names, error, (), free)


def _close(one: Floats, other: Floats, tolerance: float) -> bool:
    return float(distances(one[None], other)[0]) <= tolerance
