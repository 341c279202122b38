"""What each mistake alone would answer: to tell which look alike here, and which cannot be seen."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from model.arrays import Floats
from model.gradients.diagnosis.fitting import Way, distances, stacked
from model.gradients.diagnosis.infinities import without_numbers
from model.gradients.given import Given, Hidden, Loss, Tensors, backprop
from model.gradients.mistakes import deltas, layouts, scales, sums
from model.gradients.mistakes.mistake import Mistake, arrays
from model.gradients.mistakes.slopes import SLOPES

SAME = 1e-9  # relative; answers this close are one answer

# Explained by other means: they have a number of their own, or concern the answer as a whole.
SHOWN_ONLY = frozenset(
    mistake.slug
    for mistake in (
        deltas.SMOOTHED, deltas.WEIGHTED, sums.LEAKY, sums.WEIGHTS_UPDATED,
        scales.NEGATIVE, scales.STEP, scales.ACCUMULATED, scales.ADAM,
        layouts.TRANSPOSED, layouts.FORTRAN_ORDER, layouts.INTEGER_DTYPE,
    )
)  # fmt: skip

# Numbers that a mistake is shown with where it has one of its own.
_RATE, _LEAK, _SMOOTHING = 0.01, 0.01, 0.1


class Alone(NamedTuple):
    """K mistakes, each made alone, and what the tensors then are."""

    mistakes: Sequence[Mistake]  # K
    tensors: Tensors  # (K, ...) each, of the right shape; NaN for those of another shape


def each_alone(given: Given, right: Tensors, usual: list[Way]) -> Alone:
    """Every mistake that can be made at this level, in each of its forms.

    Args:
        given: where.
        right: the right answers there.
        usual: the ways in which the first step, the Jacobian or delta3, may have gone.
    """
    with np.errstate(all="ignore"):
        if given.loss is None:
            found = [_of_ways(_jacobians(given, right, usual), "jacobian")]
        else:
            found = list(_from_delta3(given, given.loss, right, usual))
    found += [*_layouts(right), *_without_numbers(given, right)]
    mistakes = [mistake for part in found for mistake in part.mistakes]
    return Alone(mistakes, {name: _of_all(found, name, array) for name, array in right.items()})


def _of_all(parts: list[Alone], name: str, right: Floats) -> Floats:
    """A tensor as each mistake of each part leaves it, (K, ...)."""
    found = np.empty((sum(len(part.mistakes) for part in parts), *right.shape))
    found[...] = right
    last = 0
    for part in parts:
        first, last = last, last + len(part.mistakes)
        if (wrong := part.tensors.get(name)) is not None:
            found[first:last] = wrong if wrong.shape[1:] == right.shape else np.nan
    return found


def _of_ways(ways: list[Way], name: str) -> Alone:
    """Those whose result has the shape of the first: vectors for matrices are seen at once."""
    same = [way for way in ways if way.value.shape == ways[0].value.shape]
    return Alone([way.names[0] for way in same], {name: stacked(same)})


def _jacobians(given: Given, right: Tensors, usual: list[Way]) -> list[Way]:
    scaled = [
        Way((scale.mistake,), right["jacobian"] * scale.factor(given.output.T))
        for scale in scales.JACOBIAN_SCALES  # those that are 1 here, too
    ]
    return scaled + [way for way in usual if len(way.names) == 1]


def _from_delta3(given: Given, loss: Loss, right: Tensors, usual: list[Way]) -> Iterator[Alone]:
    first = _of_ways(_delta3s(loss, usual), "delta3")
    if given.hidden is None:
        yield first
    else:
        wrong = first.tensors["delta3"]
        yield Alone(first.mistakes, backprop(given.hidden, wrong, given.hidden.slope))
        yield from _hidden(given.hidden, loss, right)
    passes = (2.0, *loss.p.shape)  # twice, and as often as could be taken for a sum instead
    whole = [(scales.NEGATIVE, -1.0), (scales.STEP, _RATE)]
    whole += [(scales.ACCUMULATED, float(times)) for times in passes if times > 1]
    factors = np.array([factor for _, factor in whole])
    yield Alone(
        [mistake for mistake, _ in whole],
        {name: np.multiply.outer(factors, array) for name, array in right.items()},
    )
    yield Alone((scales.ADAM,), {name: _RATE * np.sign(a)[None] for name, a in right.items()})


def _delta3s(loss: Loss, usual: list[Way]) -> list[Way]:
    N, C = loss.p.shape
    towards_uniform = (loss.y - 1 / C) / (N * loss.T)
    return [
        *usual[1:],
        *(
            Way((scale.mistake,), loss.delta3 * scale.factor(N, C, loss.T))
            for scale in scales.SCALES
        ),
        Way((deltas.SMOOTHED,), loss.delta3 + _SMOOTHING * towards_uniform),
        Way((deltas.WEIGHTED,), loss.delta3 * np.linspace(1, 2, N)[:, None]),
    ]


def _hidden(hidden: Hidden, loss: Loss, right: Tensors) -> Iterator[Alone]:
    (W1, b1, W2, b2), delta3, decay = hidden.parameters, loss.delta3, hidden.decay

    slopes = [(wrong.mistake, slope) for wrong in SLOPES for slope in arrays(wrong, hidden)]
    if hidden.activation.name == "relu":
        slopes.append((sums.LEAKY, hidden.slope + _LEAK * (1 - hidden.slope)))
    stacked = backprop(hidden, delta3, np.stack([slope for _, slope in slopes]))
    yield Alone(
        [mistake for mistake, _ in slopes],
        {name: stacked[name] for name in ("delta2", "dW1", "db1")},
    )
    yield _through_other_weights(hidden, loss, sums.WEIGHTS_UPDATED, W2 - _RATE * right["dW2"])
    if W2.shape[0] == W2.shape[1]:
        yield _through_other_weights(hidden, loss, sums.WEIGHTS_NOT_TRANSPOSED, W2.T)

    for wrong in sums.SOURCES:
        for source in arrays(wrong, hidden):
            yield Alone((wrong.mistake,), {"dW2": (source.T @ delta3 + decay * W2)[None]})
    for biases in sums.BIASES:
        for formula in biases.formulas:
            both = {"db1": formula(right["delta2"])[None], "db2": formula(delta3)[None]}
            yield Alone((biases.mistake,), both)
    extra = decay * np.array([size.factor(len(delta3)) - 1 for size in sums.DECAYS])[:, None, None]
    yield Alone(
        [size.mistake for size in sums.DECAYS],
        {"dW1": right["dW1"] + extra * W1, "dW2": right["dW2"] + extra * W2},
    )
    both = {"db1": (right["db1"] + decay * b1)[None], "db2": (right["db2"] + decay * b2)[None]}
    yield Alone((sums.DECAY_ON_BIASES,), both)


def _through_other_weights(hidden: Hidden, loss: Loss, mistake: Mistake, W2: Floats) -> Alone:
    """The hidden layer's tensors when delta3 came back through these weights."""
    other = hidden._replace(parameters=hidden.parameters._replace(W2=W2))
    below = backprop(other, loss.delta3, hidden.slope)
    return Alone((mistake,), {name: below[name][None] for name in ("delta2", "dW1", "db1")})


def _layouts(right: Tensors) -> Iterator[Alone]:
    turned = {name: np.swapaxes(a, -1, -2) if a.ndim > 1 else a for name, a in right.items()}
    by_columns = {name: a.ravel(order="F").reshape(a.shape) for name, a in right.items()}
    cut = {name: np.trunc(a) for name, a in right.items()}
    for mistake, tensors in (
        (layouts.TRANSPOSED, turned),
        (layouts.FORTRAN_ORDER, by_columns),
        (layouts.INTEGER_DTYPE, cut),
    ):
        yield Alone((mistake,), {name: array[None] for name, array in tensors.items()})


def _without_numbers(given: Given, right: Tensors) -> Iterator[Alone]:
    """Nothing is lost where the logits are moderate, and the numbers are the right ones."""
    for mistake, lost in without_numbers(given, np.float64).items():
        names = right if lost.any() else ()
        yield Alone((mistake,), {name: np.full((1, *right[name].shape), np.nan) for name in names})


def blind_spots(right: Tensors, alone: Alone, tolerances: Mapping[str, float]) -> tuple[str, ...]:
    """Slugs of the mistakes that would not have shown in these tensors, to these tolerances."""
    unseen = agreeing(alone, right, {name: max(SAME, t) for name, t in tolerances.items()})
    slugs = [mistake.slug for mistake in alone.mistakes]
    shown = {slug for k, slug in enumerate(slugs) if k not in unseen}
    return tuple(slug for slug in dict.fromkeys(slugs) if slug not in shown)


def agreeing(alone: Alone, answer: Tensors, tolerances: Mapping[str, float]) -> list[int]:
    """Which mistakes give one answer, in these tensors, to these tolerances.

    The smallest tensors come first, since few mistakes are left to be compared with the others.
    """
    found = np.arange(len(alone.mistakes))
    for name in sorted(tolerances, key=lambda name: answer[name].size):
        agrees = distances(alone.tensors[name][found], answer[name]) <= tolerances[name]
        found = found[agrees]
    return [int(k) for k in found]


def lookalikes(
    alone: Alone, slug: str, answer: Tensors, tolerances: Mapping[str, float]
) -> tuple[str, ...]:
    """Slugs of the mistakes that, each alone, give the numbers that this one does.

    None where the mistake has a number of its own, and another than it is shown with.

    Args:
        alone: what each mistake gives.
        slug: of the one in question.
        answer: what was posted; of the mistake's forms, the closest to it is meant.
        tolerances: how close that form must be, in each tensor.
    """
    if any(alone.tensors[name].shape[1:] != value.shape for name, value in answer.items()):
        return ()
    forms = [k for k, mistake in enumerate(alone.mistakes) if mistake.slug == slug]
    errors = np.array([distances(alone.tensors[name][forms], answer[name]) for name in answer])
    explains = ([tolerances[name] for name in answer] >= errors.T).all(axis=1)
    if not explains.any():
        return ()
    meant = forms[np.where(explains, errors.max(axis=0), np.inf).argmin()]
    own = {name: alone.tensors[name][meant] for name in answer}
    same = agreeing(alone, own, dict.fromkeys(answer, SAME))
    found = dict.fromkeys(alone.mistakes[k].slug for k in same)
    return tuple(other for other in found if other != slug)
