"""The check: somebody's gradient, judged, its mistakes named, and what it could not have shown."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from model.gradients.diagnosis.alone import blind_spots
from model.gradients.diagnosis.candidates import Arrived, read_candidate
from model.gradients.diagnosis.evidence import Evidence, evidence
from model.gradients.diagnosis.fitting import Posted
from model.gradients.diagnosis.judging import (
    TELLING,
    Judged,
    Verdict,
    judge,
    precision_of_zeros,
)
from model.gradients.diagnosis.localisation import localised
from model.gradients.diagnosis.measured import implied_delta3
from model.gradients.diagnosis.naming import Context, Found, context_of, name_mistakes
from model.gradients.diagnosis.places import Place, Where, place_of
from model.gradients.diagnosis.precision import named as as_precision
from model.gradients.diagnosis.report import Report
from model.gradients.diagnosis.thinning import Part, part_of
from model.gradients.given import Tensors

# A mistake is held to explain what rounding leaves of it. Its own floor is not known: it is taken
# as this many times that of the right answer.
_SLACK = 8.0


@np.errstate(all="ignore")  # whoever posts infinity gets a verdict, not a warning
def check(
    given: Where,
    candidate: Mapping[str, ArrayLike],
    precision: str | None = None,
) -> Report:
    """Whether a gradient is right, and if not, which mistakes were made.

    Args:
        given: a probe; or arrays by their names: `logits`, `logits` and `labels`, or those of a
            network (docs/is-this-correct.md lists them); or what `place_of` made of them.
        candidate: any of `jacobian`; `delta3`; `dW1 db1 dW2 db2 delta3 delta2`.
        precision: `float64`, `float32`, `float16` or such as `4 digits`; by default what the
            numbers themselves show, tensor by tensor.

    Raises:
        InvalidInputError: a name, shape or value is not what is expected.
    """
    point = place_of(given)
    arrived = read_candidate(point.given, point.right, candidate)
    values = {name: one.value for name, one in arrived.items()}
    tensors = {
        name: _judged(
            name,
            one,
            point,
            precision or precision_of_zeros(name, values, point.given, point.right),
        )
        for name, one in arrived.items()
    }
    verdict = overall([judged.verdict for judged in tensors.values()])

    part = part_of(point.given, tensors)
    context = _context(point, part)
    mistakes: tuple[Found, ...] = ()
    found: Evidence = {}
    if verdict == "wrong":
        posted = _posted(arrived, point, tensors)
        if part is not None:
            arrived = {
                name: one._replace(value=part.of_tensor(name, one.value))
                for name, one in arrived.items()
            }
            posted = {
                name: one._replace(value=part.of_tensor(name, one.value))
                for name, one in posted.items()
            }
        mistakes, found = _explained(context, arrived, tensors, posted)
    elif verdict == "undecidable":
        found = _where_decidable(point, tensors)
    passes = {name: one.passes for name, one in tensors.items()}
    return Report(
        verdict,
        tensors,
        tuple(name for name in wanted(point.right) if name not in candidate),
        mistakes,
        found,
        blind_spots(context.right, context.alone, passes),
    )


def _where_decidable(point: Place, tensors: dict[str, Judged]) -> Evidence:
    """What would settle it: more digits, or a point where rounding does less."""
    unsettled = [judged for judged in tensors.values() if judged.verdict == "undecidable"]
    if all(judged.tolerance - judged.printed <= TELLING for judged in unsettled):
        return {"decidable_with": "3 digits"}
    return {"decidable_at": {"level": point.given.level, "seed": 0}}


def _explained(
    context: Context,
    arrived: dict[str, Arrived],
    tensors: dict[str, Judged],
    posted: dict[str, Posted],
) -> tuple[tuple[Found, ...], Evidence]:
    values = {name: one.value for name, one in arrived.items() if np.isfinite(one.value).all()}
    measured = implied_delta3(context.given, values)
    named = name_mistakes(context, arrived, posted, measured)
    tolerance = max((tensor.tolerance for tensor in posted.values()), default=0.0)
    shown = evidence(context.given, context.right, values, measured, tolerance)
    return named.mistakes, {"localisation": localised(tensors, named, shown)} | shown


def assert_gradient(
    given: Where,
    candidate: Mapping[str, ArrayLike],
    precision: str | None = None,
) -> None:
    """Fail with the whole explanation unless a gradient is right: `check`, for a test suite.

    Raises:
        AssertionError: it is wrong, or cannot be decided here.
        InvalidInputError: a name, shape or value is not what is expected.
    """
    report = check(given, candidate, precision)
    if report.verdict != "right":
        raise AssertionError(f"the gradient is {report}")


def blind_spots_of(given: Where) -> tuple[str, ...]:
    """Slugs of the mistakes that no answer could show here, however complete and exact.

    Raises:
        InvalidInputError: a name, shape or value is not what is expected.
    """
    point = place_of(given)
    context = _context(point, part_of(point.given, {}))
    floors = {name: point.floors.of(name, 2.0**-53) for name in point.right}
    return blind_spots(context.right, context.alone, floors)


def possible_mistakes(given: Where) -> tuple[str, ...]:
    """Slugs of the mistakes that an answer is compared with here, seen or not.

    Raises:
        InvalidInputError: a name, shape or value is not what is expected.
    """
    point = place_of(given)
    context = _context(point, part_of(point.given, {}))
    return tuple(dict.fromkeys(mistake.slug for mistake in context.alone.mistakes))


def _context(point: Place, part: Part | None) -> Context:
    if part is None:
        return point.context
    return context_of(part.of_given(point.given), part.of_tensors(point.right))


def wanted(right: Tensors) -> tuple[str, ...]:
    """What every answer should hold; delta3 and delta2 of a network may be added."""
    return (
        tuple(right)
        if len(right) == 1
        else tuple(name for name in right if name[0] == "d" and name[:5] != "delta")
    )


def overall(verdicts: list[Verdict]) -> Verdict:
    """Wrong if any is, else undecidable if any is."""
    if "wrong" in verdicts:
        return "wrong"
    return "undecidable" if "undecidable" in verdicts else "right"


def _judged(name: str, arrived: Arrived, point: Place, precision: str | None) -> Judged:
    judged = judge(name, arrived.value, point.right[name], point.floors, precision)
    if arrived.layout is None:
        return judged
    return judged._replace(verdict="wrong", relative_error=None, worst=None)


def _posted(
    arrived: dict[str, Arrived], point: Place, tensors: dict[str, Judged]
) -> dict[str, Posted]:
    """The tensors that hold numbers, and how far a mistake may be from what it should explain."""
    found = {}
    for name, one in arrived.items():
        if np.isfinite(one.value).all():
            precision = as_precision(tensors[name].precision, one.value)
            printed = precision.printed / float(np.abs(one.value).max() or 1.0)
            floor = point.floors.of(name, precision.roundoff)
            noise = floor * float(np.abs(point.right[name]).max())
            found[name] = Posted(
                one.value,
                min(_SLACK * floor, TELLING) + printed,
                noise if np.isfinite(noise) else 0.0,
            )
    return found
