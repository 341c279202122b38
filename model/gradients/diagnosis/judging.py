"""Right, wrong or undecidable: one tensor against what rounding can explain."""

from typing import Literal, NamedTuple

import numpy as np

from model.arrays import Floats
from model.gradients.chain import known
from model.gradients.diagnosis.precision import (
    FLOAT16,
    FLOAT32,
    ROUNDOFF,
    Precision,
    inferred,
    named,
)
from model.gradients.floors import delta3_floor, jacobian_floor, rounding_floors
from model.gradients.given import Given, Tensors
from model.gradients.oracles import Objective

Verdict = Literal["right", "wrong", "undecidable"]

# On a probe, mistakes without a small number of their own change some tensor by 5e-2 and more.
# Where rounding may have moved it by as much as this, being close to the right one proves little.
TELLING = 1e-2
_SURE = 1e-3  # an error below this is the right answer's, whatever rounding might have done

_BELOW = ("delta2", "dW1", "db1")  # what relu's slope is part of
_BEHIND = {
    "dW1": "delta2", "db1": "delta2", "delta2": "delta3", "dW2": "delta3", "db2": "delta3",
}  # fmt: skip
_EXACT = 2.0**-53
_SINGLE = Precision(FLOAT32, ROUNDOFF[FLOAT32], 0.0)


class Worst(NamedTuple):
    """The entry that is furthest off."""

    index: tuple[int, ...]  # type: ignore[assignment]  # hides tuple.index, which nobody needs
    expected: float
    received: float


class Judged(NamedTuple):
    """The verdict on one tensor."""

    verdict: Verdict
    precision: str
    relative_error: float | None  # max |a - b| / max |b|; None where there is no such number
    worst: Worst | None  # None when every entry is exact, or the shape is another
    tolerance: float  # what rounding and printing explain of relative_error
    printed: float = 0.0  # the part of it that more digits would take away

    @property
    def passes(self) -> float:
        """The largest relative error that would still be called right."""
        return self.tolerance if self.tolerance <= TELLING else _SURE


class Floors:
    """Relative errors that rounding explains at a point, each found when first asked for."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._known: dict[float, dict[str, float]] = {}

    def of(self, name: str, unit_roundoff: float) -> float:
        """For one tensor, with the reference's own rounding added."""
        own = self._at(_EXACT)[name]
        return own if unit_roundoff == _EXACT else own + self._at(unit_roundoff)[name]

    def at_kinks(self, name: str) -> Floats:
        """How far either slope of relu moves each entry, for units that are exactly at the kink."""
        hidden = self._given.hidden
        if hidden is None or hidden.activation.name != "relu" or name not in _BELOW:
            return np.zeros(())
        moved = np.abs(known(self._given.loss).delta3 @ hidden.parameters.W2.T) * (hidden.z1 == 0)
        if name == "delta2":
            return moved
        return np.abs(hidden.x).T @ moved if name == "dW1" else moved.sum(axis=0)

    def _at(self, u: float) -> dict[str, float]:
        if u not in self._known:
            self._known[u] = _floors(self._given, u)
        return self._known[u]


def _floors(given: Given, u: float) -> dict[str, float]:
    output, loss, hidden = given.output, given.loss, given.hidden
    if loss is None:
        return {"jacobian": jacobian_floor(output.z, u, output.T)}
    if hidden is None:
        return {"delta3": delta3_floor(loss.z, loss.y, u, loss.T)}
    objective = Objective(loss.T, hidden.decay)
    return rounding_floors(
        hidden.parameters, hidden.activation, hidden.x, loss.y, u, objective
    )._asdict()


def judge(name: str, value: Floats, right: Floats, floors: Floors, said: str | None) -> Judged:
    """The verdict on a tensor, at the precision that it has or is said to have.

    Numbers that look like float64 and miss by what float32 explains were computed in float32. Few
    digits that meet the right numbers better than they had to are right all the same. Where relu
    has no slope, any between 0 and 1 may be right.

    Args:
        name: of the tensor.
        value: as posted, in the right layout.
        right: of another shape than `value` where a mistake changed it.
        floors: at the point.
        said: a precision; None for what the numbers show.
    """
    precision = inferred(value) if said is None else named(said, value)
    if value.shape != right.shape or not np.isfinite(value).all():
        return Judged("wrong", precision.name, None, _first_infinite(value, right), 0.0)

    size, differences = float(np.abs(right).max()), np.abs(value - right)
    index = np.unravel_index(int(differences.argmax()), right.shape)
    largest = float(differences[index])
    error = largest / size if size else (np.inf if largest else 0.0)

    tolerance = _tolerance(name, precision, size, floors)
    finer = said is None and precision.roundoff < ROUNDOFF[FLOAT32]
    # Where float32 keeps no digits it would excuse anything; only zeros may be what is left then.
    if finer and error > tolerance and (error <= TELLING or not value.any()):
        looser = _tolerance(name, _SINGLE, size, floors)
        if error <= looser and (looser <= TELLING or error <= _SURE or not value.any()):
            precision, tolerance = named(FLOAT32, value), looser

    finest = [floors.of(name, u) for u in ROUNDOFF.values() if u <= precision.roundoff]
    verdict: Verdict = "wrong"
    if error <= tolerance:
        proven = any(error <= floor <= TELLING for floor in [*finest, tolerance])
        verdict = "right" if proven or error <= _SURE else "undecidable"
    elif (differences <= floors.at_kinks(name) + tolerance * size).all():
        verdict, tolerance = "undecidable", error
    worst = Worst(tuple(map(int, index)), float(right[index]), float(value[index]))
    return Judged(
        verdict,
        precision.name,
        error if np.isfinite(error) else None,
        worst if largest else None,
        tolerance,
        precision.printed / size if size else 0.0,
    )


def precision_of_zeros(name: str, values: Tensors, given: Given, right: Tensors) -> str | None:
    """Zeros show no precision of their own: they may be all that float16 could hold.

    That is so beside other float16, or where nothing else came and float16 loses all of it.

    Args:
        name: of the tensor.
        values: all that came.
        given: where.
        right: the answers there.

    Returns:
        None where the numbers speak for themselves.
    """
    if values[name].any():
        return None
    others = [value for value in values.values() if value.any()]
    if others:
        lost = any(inferred(value).name == FLOAT16 for value in others)
    else:
        lost = all(_lost_in_float16(other, given, right) for other in values)
    return FLOAT16 if lost else None


def _lost_in_float16(name: str, given: Given, right: Tensors) -> bool:
    """Whether float16 rounds all of a right tensor to 0, or all of the delta it is made of."""
    if not right[name].astype(np.float16).any():
        return True
    decays = given.hidden is not None and given.hidden.decay != 0 and name in ("dW1", "dW2")
    return name in _BEHIND and not decays and _lost_in_float16(_BEHIND[name], given, right)


def _tolerance(name: str, precision: Precision, size: float, floors: Floors) -> float:
    printed = precision.printed / size if size else 0.0
    return floors.of(name, precision.roundoff) + printed


def _first_infinite(value: Floats, right: Floats) -> Worst | None:
    places = np.argwhere(~np.isfinite(value))
    if value.shape != right.shape or not len(places):
        return None
    index = tuple(map(int, places[0]))
    return Worst(index, float(right[index]), float(value[index]))
