"""The check: somebody's gradient, judged, its mistakes named, and what it could not have shown."""

import functools
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from model.gradients.diagnosis.alone import blind_spots, each_alone
from model.gradients.diagnosis.candidates import Arrived, read_candidate
from model.gradients.diagnosis.evidence import Evidence, evidence
from model.gradients.diagnosis.fitting import Posted
from model.gradients.diagnosis.judging import TELLING, Floors, Judged, Verdict, judge
from model.gradients.diagnosis.localisation import localised
from model.gradients.diagnosis.naming import Context, Found, name_mistakes
from model.gradients.diagnosis.precision import FLOAT16, inferred
from model.gradients.diagnosis.precision import named as as_precision
from model.gradients.given import Given, Tensors, right_answers
from model.gradients.probes import Probe, probe
from model.gradients.reading import GivenArrays, read_given

# A mistake is held to explain what rounding leaves of it. Its own floor is not known: it is taken
# as this many times that of the right answer.
_SLACK = 8.0


class Report(NamedTuple):
    """What a check found."""

    verdict: Verdict
    tensors: dict[str, Judged]
    not_given: tuple[str, ...]  # tensors that were wanted
    mistakes: tuple[Found, ...]  # best first; empty when right
    evidence: Evidence
    blind_spots: tuple[str, ...]  # slugs of mistakes that these tensors could not have shown here


@np.errstate(all="ignore")  # whoever posts infinity gets a verdict, not a warning
def check(
    given: Probe | GivenArrays | Given,
    candidate: Mapping[str, ArrayLike],
    precision: str | None = None,
) -> Report:
    """Whether a gradient is right, and if not, which mistakes were made.

    Args:
        given: a probe; or arrays by their names: `logits`, `logits` and `labels`, or those of a
            network (docs/is-this-correct.md lists them).
        candidate: any of `jacobian`; `delta3`; `dW1 db1 dW2 db2 delta3 delta2`.
        precision: `float64`, `float32`, `float16` or such as `4 digits`; by default what the
            numbers themselves show, tensor by tensor.

    Raises:
        InvalidInputError: a name, shape or value is not what is expected.
    """
    context = _context(given)
    right = context.right
    arrived = read_candidate(context.given, right, candidate)
    tensors = {
        name: _judged(name, one, context, precision or _of_zeros(one, arrived))
        for name, one in arrived.items()
    }
    verdict = overall([judged.verdict for judged in tensors.values()])

    mistakes: tuple[Found, ...] = ()
    found: Evidence = {}
    if verdict == "wrong":
        posted = _posted(arrived, context, tensors)
        named = name_mistakes(context, arrived, posted)
        mistakes, found = named.mistakes, {"localisation": localised(tensors, named)}
        values = {name: one.value for name, one in arrived.items()}
        tolerance = max((tensor.tolerance for tensor in posted.values()), default=0.0)
        found |= evidence(context.given, right, values, tolerance)
    elif verdict == "undecidable":
        found = {"decidable_at": {"level": context.given.level, "seed": 0}}
    return Report(
        verdict,
        tensors,
        tuple(name for name in wanted(right) if name not in candidate),
        mistakes,
        found,
        blind_spots(right, context.alone, {name: one.tolerance for name, one in tensors.items()}),
    )


def _context(given: Probe | GivenArrays | Given) -> Context:
    if isinstance(given, Probe):
        return _context_of_probe(given.level, given.seed)
    return _prepared(as_given(given))


@functools.lru_cache(maxsize=16)
def _context_of_probe(level: str, seed: int) -> Context:
    """Kept, since whoever mends a gradient checks it at the same probe again and again."""
    return _prepared(as_given(probe(level, seed)))


def _prepared(point: Given) -> Context:
    right = right_answers(point)
    return Context(point, right, each_alone(point, right), Floors(point))


def as_given(given: Probe | GivenArrays | Given) -> Given:
    """The point that a probe or arrays describe.

    Raises:
        InvalidInputError: a name, shape or value is not what is expected.
    """
    if isinstance(given, Given):
        return given
    return read_given(given.given if isinstance(given, Probe) else given)


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


def _judged(name: str, arrived: Arrived, context: Context, precision: str | None) -> Judged:
    judged = judge(name, arrived.value, context.right[name], context.floors, precision)
    if arrived.layout is None:
        return judged
    return judged._replace(verdict="wrong", relative_error=None, worst=None)


def _of_zeros(one: Arrived, arrived: dict[str, Arrived]) -> str | None:
    """Zeros show no precision of their own; beside float16 they may be what it could not hold."""
    if one.value.any():
        return None
    halves = any(inferred(other.value).name == FLOAT16 for other in arrived.values())
    return FLOAT16 if halves else None


def _posted(
    arrived: dict[str, Arrived], context: Context, tensors: dict[str, Judged]
) -> dict[str, Posted]:
    """The tensors that hold numbers, and how far a mistake may be from what it should explain."""
    found = {}
    for name, one in arrived.items():
        if np.isfinite(one.value).all():
            precision = as_precision(tensors[name].precision, one.value)
            printed = precision.printed / float(np.abs(one.value).max() or 1.0)
            floor = context.floors.of(name, precision.roundoff)
            noise = floor * float(np.abs(context.right[name]).max())
            found[name] = Posted(
                one.value,
                min(_SLACK * floor, TELLING) + printed,
                noise if np.isfinite(noise) else 0.0,
            )
    return found
