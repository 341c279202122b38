"""The explanation of an answer: which steps went wrong, output layer first, then the hidden one.

Each way in which delta3 may have been computed is followed through the output layer; those that
explain what was posted of it are followed through the hidden layer. Where none does, the answer's
own delta3 is read off and followed, so that the hidden layer is judged all the same.
"""

from typing import NamedTuple

import numpy as np

from model.arrays import Floats
from model.gradients.chain import known
from model.gradients.diagnosis.fitting import Names, Posted, Way, distances, leeway, stacked
from model.gradients.diagnosis.layers import Layer, Outcome, explain_layer, unique
from model.gradients.diagnosis.ways import (
    delta2s,
    delta3s,
    delta3s_with_two,
    factors,
    fitted_delta3s,
    jacobians,
)
from model.gradients.given import Given, Hidden, Loss
from model.gradients.mistakes.mistake import arrays
from model.gradients.mistakes.sums import SOURCES

OUTPUT = ("delta3", "dW2", "db2")
HIDDEN = ("delta2", "dW1", "db1")
_MOST_FOLLOWED = 6  # explanations of the output layer, into the hidden one
_LARGEST = 2**14  # numbers of a tensor; with more, only one mistake in delta3 is looked for

PostedTensors = dict[str, Posted]


class Explanation(NamedTuple):
    """What went wrong, as far as the catalogue knows."""

    names: Names
    error: float  # relative, of the tensor that is explained worst
    unexplained: tuple[str, ...]  # tensors that it does not explain
    free: int  # how many numbers were fitted
    first: Way | None = None  # the Jacobian or delta3 that it starts from
    second: Way | None = None  # delta2
    unnamed: bool = False  # it starts from the answer's own delta3, which the catalogue lacks
    explained_error: float = 0.0  # relative, of those that are explained

    def rank(self) -> tuple[int, int, int, float]:
        """Smaller is better: what is left open, how many mistakes, how much was fitted."""
        left = len(self.unexplained) + self.unnamed
        return left, len(self.names), self.free, self.error


def usual_ways(given: Given) -> list[Way]:
    """How the first step of any answer may have gone: the Jacobian, or delta3."""
    return jacobians(given.output) if given.loss is None else delta3s(given.loss)


def explain(
    given: Given, usual: list[Way], posted: PostedTensors, measured: Floats | None
) -> Explanation:
    """The best explanation of what was posted; its names are empty where there is none.

    Args:
        given: where.
        usual: ways in which the first step may have gone.
        posted: the tensors.
        measured: the delta3 that they imply, (N, C).
    """
    if given.loss is None:
        return _closest(posted["jacobian"], usual)

    fitted = [] if measured is None else fitted_delta3s(given.loss, measured)
    best = _follow(given, posted, usual + fitted)
    # Where the output layer is explained, another delta3 will not explain the hidden one.
    open_at = set(best.unexplained) & set(OUTPUT) if set(posted) & set(OUTPUT) else best.unexplained
    if open_at and max(tensor.value.size for tensor in posted.values()) <= _LARGEST:
        again = _follow(given, posted, delta3s_with_two(given.loss))
        best = min(best, again, key=Explanation.rank)
    if measured is not None and set(best.unexplained) & set(OUTPUT):
        own = _follow(given, posted, [Way((), measured, free=measured.size)])
        best = min(best, own._replace(unnamed=True), key=Explanation.rank)
    return best


def _closest(posted: Posted, ways: list[Way]) -> Explanation:
    """Of the ways with the shape of what was posted; no names where none fits."""
    ways = [way for way in ways if way.value.shape == posted.value.shape]
    errors = distances(stacked(ways), posted.value)  # (N, C) is one of them
    found = [
        Explanation(way.names, float(error), (), 0, way, explained_error=float(error))
        for way, error in zip(ways, errors, strict=True)
        if error <= posted.tolerance
    ]
    nothing = Explanation((), 1.0, ("jacobian",), 0)
    return min([*found, nothing], key=Explanation.rank)


def _follow(given: Given, posted: PostedTensors, ways: list[Way]) -> Explanation:
    """From each delta3 through both layers."""
    loss, hidden = known(given.loss), given.hidden
    output = _output_layer(loss, hidden, ways, posted)
    found = [
        Explanation(
            unique((*ways[k].names, *output.names[i])),
            float(output.errors[i]),
            output.unexplained[i],
            ways[k].free,
            ways[k],
            explained_error=float(output.explained[i]),
        )
        for i, k in enumerate(output.ways)
    ]
    if hidden is None or not set(posted) & set(HIDDEN):
        return min(found, key=Explanation.rank)
    followed = sorted(found, key=Explanation.rank)
    if set(posted) & set(OUTPUT):
        followed = followed[:_MOST_FOLLOWED]
        fitting = [one for one in followed if not one.unexplained]
        followed = fitting or followed
    return min(
        (_through_hidden_layer(loss, hidden, one, posted) for one in followed),
        key=Explanation.rank,
    )


def _output_layer(
    loss: Loss, hidden: Hidden | None, ways: list[Way], posted: PostedTensors
) -> Outcome:
    sizes = factors(loss)
    if hidden is None:
        layer = Layer([], np.empty((0, 0)), np.empty(0), 0.0, sizes, OUTPUT)
        return explain_layer(layer, stacked(ways), posted, leeway(ways))
    sources = [Way((), hidden.a1)]
    sources += [
        Way((wrong.mistake,), source) for wrong in SOURCES for source in arrays(wrong, hidden)
    ]
    _, _, W2, b2 = hidden.parameters
    layer = Layer(sources, W2, b2, hidden.decay, sizes, OUTPUT)
    return explain_layer(layer, stacked(ways), posted, leeway(ways))


def _through_hidden_layer(
    loss: Loss, hidden: Hidden, before: Explanation, posted: PostedTensors
) -> Explanation:
    values, sizes = {name: tensor.value for name, tensor in posted.items()}, factors(loss)
    ways = delta2s(hidden, known(before.first).value, sizes, values)
    W1, b1, _, _ = hidden.parameters
    layer = Layer([Way((), hidden.x)], W1, b1, hidden.decay, sizes, HIDDEN)
    granted = leeway([way._replace(free=before.free + way.free) for way in ways])
    outcome = explain_layer(layer, stacked(ways), posted, granted)
    found = [
        before._replace(
            names=unique((*before.names, *ways[k].names, *outcome.names[i])),
            error=max(before.error, float(outcome.errors[i])),
            unexplained=before.unexplained + outcome.unexplained[i],
            free=before.free + ways[k].free,
            second=ways[k],
            explained_error=max(before.explained_error, float(outcome.explained[i])),
        )
        for i, k in enumerate(outcome.ways)
    ]
    return min(found, key=Explanation.rank)
