"""From an answer that is wrong to the names of its mistakes."""

from typing import NamedTuple

import numpy as np

from model.arrays import Floats
from model.gradients.chain import known
from model.gradients.diagnosis import whole
from model.gradients.diagnosis.alone import SAME, Alone, each_alone, lookalikes
from model.gradients.diagnosis.candidates import Arrived
from model.gradients.diagnosis.fitting import Names, Posted, Way, distances
from model.gradients.diagnosis.infinities import why_not_finite
from model.gradients.diagnosis.judging import TELLING
from model.gradients.diagnosis.layers import unique
from model.gradients.diagnosis.measured import Implied
from model.gradients.diagnosis.search import Explanation, explain, usual_ways
from model.gradients.diagnosis.ways import delta2s, factors
from model.gradients.given import Given, Tensors
from model.gradients.mistakes import layouts
from model.gradients.mistakes.mistake import Mistake


class Found(NamedTuple):
    """A mistake that explains the answer, alone or with the others that are named."""

    mistake: Mistake
    fit: float  # from 0 to 1; 1 when the explanation reproduces the answer exactly
    equivalent: tuple[str, ...]  # slugs of mistakes that give the same numbers here


class Named(NamedTuple):
    """What was found, best first, and what stays open."""

    mistakes: tuple[Found, ...]
    unexplained: tuple[str, ...]  # tensors
    unnamed_delta3: bool  # the catalogue lacks it; everything else was judged by the answer's own


class Context(NamedTuple):
    """A point, what is right there, and what each mistake alone would give."""

    given: Given
    right: Tensors
    usual: list[Way]  # in which the first step may have gone
    alone: Alone


def context_of(given: Given, right: Tensors) -> Context:
    """What an explanation needs to know of a point and the right answers there."""
    usual = usual_ways(given)
    return Context(given, right, usual, each_alone(given, right, usual))


def name_mistakes(
    context: Context,
    arrived: dict[str, Arrived],
    posted: dict[str, Posted],
    measured: Implied | None,
) -> Named:
    """The mistakes behind an answer that is wrong.

    Args:
        context: where.
        arrived: the answer, tensor by tensor.
        posted: those of its tensors that hold numbers, and what a mistake has to explain of them.
        measured: the delta3 that these imply.
    """
    mistakes = _at_sight(context.given, arrived)
    posted = {
        name: tensor
        for name, tensor in posted.items()
        if arrived[name].layout is not layouts.SWAPPED
    }
    found = Explanation((), 0.0, (), 0)
    if posted:
        found = _explanation(context, posted, None if measured is None else measured.delta)

    if len(found.names) > 1 and max(tensor.tolerance for tensor in posted.values()) > TELLING:
        found = Explanation((), 0.0, tuple(posted), 0)  # too few digits to tell two mistakes apart

    fit = max(0.0, 1.0 - found.explained_error)
    equivalent = _equivalents(context, found, posted)
    seen = [one.mistake for one in mistakes]
    mistakes += [
        Found(mistake, fit, equivalent.get(mistake.slug, ()))
        for mistake in found.names
        if mistake not in seen
    ]
    return Named(tuple(mistakes), found.unexplained, found.unnamed)


def _at_sight(given: Given, arrived: dict[str, Arrived]) -> list[Found]:
    """Other layouts, and numbers that are none."""
    shapes = unique(tensor.layout for tensor in arrived.values() if tensor.layout is not None)
    found = [Found(layout, 1.0, ()) for layout in shapes]
    values = {name: tensor.value for name, tensor in arrived.items()}
    if not all(np.isfinite(value).all() for value in values.values()):
        reason, *others = why_not_finite(given, values)
        found.append(Found(reason, 1.0, tuple(other.slug for other in others)))
    return found


def _explanation(
    context: Context, posted: dict[str, Posted], measured: Floats | None
) -> Explanation:
    given, right = context.given, context.right
    return (
        whole.nothing_more(right, posted)
        or whole.whole_numbers(right, posted)
        or whole.other_places(right, posted)
        or whole.one_size(right, posted)
        or whole.one_factor(given, right, posted)
        or whole.one_mistake(right, context.alone, posted)
        or explain(given, context.usual, posted, measured)
    )


def _equivalents(
    context: Context, found: Explanation, posted: dict[str, Posted]
) -> dict[str, tuple[str, ...]]:
    """For each mistake, those that would have given the same numbers in its place."""
    if len(found.names) == 1:
        slug = found.names[0].slug
        answer = {name: tensor.value for name, tensor in posted.items()}
        tolerances = {name: tensor.tolerance for name, tensor in posted.items()}
        return {slug: lookalikes(context.alone, slug, answer, tolerances)}
    equivalent = {}
    if found.first is not None and len(found.first.names) == 1 and context.given.loss is not None:
        others = context.usual
        equivalent[found.first.names[0].slug] = _same_way(found.first, others)
    if found.second is not None and len(found.second.names) == 1:
        loss, delta3 = known(context.given.loss), known(found.first).value
        others = delta2s(known(context.given.hidden), delta3, factors(loss), {})
        equivalent[found.second.names[0].slug] = _same_way(found.second, others)
    return equivalent


def _same_way(way: Way, others: list[Way]) -> tuple[str, ...]:
    names: list[Names] = [
        other.names
        for other in others
        if len(other.names) == 1
        and other.names != way.names
        and distances(other.value[None], way.value)[0] <= SAME
    ]
    return tuple(dict.fromkeys(name[0].slug for name in names))
