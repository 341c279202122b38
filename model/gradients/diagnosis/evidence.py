"""What can be read off an answer, whether or not the catalogue knows its mistake."""

from typing import Any  # Any: what JSON can hold, and arrays

import numpy as np

from model.arrays import Floats
from model.gradients.chain import known
from model.gradients.diagnosis.candidates import likeness
from model.gradients.diagnosis.measured import (
    Implied,
    implied_by_weights,
    implied_delta2,
)
from model.gradients.diagnosis.terms import in_terms
from model.gradients.given import Given, Hidden, Loss, Tensors

Evidence = dict[str, Any]

AS_IT_SHOULD_BE = ("N T delta3 = 1.000 a2 - 1.000 y", "f' = 1.000 f'(z1)")

_PARALLEL = 0.9999  # cosine from which two arrays are multiples of each other
_SNAP = 1e-3  # relative; how close a ratio is to a factor it is named after
_READABLE = 0.02  # of the largest entry of delta3 W2^T; f' is not read off where it is smaller


def evidence(
    given: Given, right: Tensors, values: Tensors, first: Implied | None, tolerance: float
) -> Evidence:
    """Scales, invariants, and the steps behind the answer.

    Args:
        given: where.
        right: the right answers.
        values: the answer's finite tensors, in the right layout.
        first: the delta3 that they imply.
        tolerance: relative, of the least precise tensor.
    """
    fitting = {name: value for name, value in values.items() if value.shape == right[name].shape}
    found: Evidence = {
        "shapes": {
            name: {"expected": right[name].shape, "received": value.shape}
            for name, value in values.items()
            if name not in fitting
        },
        "scale": _scales(given, right, fitting),
    }
    second = implied_delta2(given, values)
    found["invariants"] = _invariants(given, fitting, first)
    if given.loss is not None and first is not None and first.delta.any():
        found |= _of_delta3(given.loss, first, tolerance)
    if given.hidden is not None and second is not None:
        delta3 = known(given.loss).delta3 if first is None else first.delta
        found["implied_activation_derivative"] = _of_slope(given.hidden, second, delta3, tolerance)
    if given.hidden is not None:
        found["implied_weight_decay"] = _of_decay(given.hidden, values, first, second)
    return {name: value for name, value in found.items() if value is not None and len(value)}


def _scales(given: Given, right: Tensors, values: Tensors) -> Evidence:
    """The ratio of tensors that are a multiple of the right one, and what it may stand for."""
    found = {}
    for name, value in values.items():
        square = float(np.vdot(right[name], right[name]))
        if square and abs(likeness(value, right[name])) > _PARALLEL:
            ratio = float(np.vdot(right[name], value)) / square
            found[name] = {"ratio": ratio, "is": factor_name(given, ratio)}
    return found


def factor_name(given: Given, ratio: float) -> str | None:
    """What a ratio is known as here: 1, -1, 2, 1/2, N, 1/N, C, 1/C, T or 1/T; or several."""
    (N, C), T = given.output.z.shape, given.output.T
    factors = {"N": N, "C": C, "T": T, "2": 2.0}
    factors = {"1": 1.0} | {name: value for name, value in factors.items() if value != 1}
    factors |= {f"1/{name}": 1 / value for name, value in factors.items() if name != "1"}
    found = [
        name if sign > 0 else f"-{name}"
        for name, value in factors.items()
        for sign in (1, -1)
        if abs(ratio - sign * value) <= _SNAP * value
    ]
    return " or ".join(found) or None


def _invariants(given: Given, values: Tensors, shown: Implied | None) -> Evidence:
    """Sums that are 0 in every right answer, relative to the largest entry."""
    found: Evidence = {}

    def relative(sums: Floats, values: Floats) -> float:
        return float(np.abs(sums).max() / (np.abs(values).max() or 1.0))

    if (J := values.get("jacobian")) is not None:
        found["jacobian_row_sums"] = relative(J.sum(axis=2), J)
        found["jacobian_column_sums"] = relative(J.sum(axis=1), J)
        found["jacobian_asymmetry"] = relative(J - np.swapaxes(J, 1, 2), J)
    if (delta3 := values.get("delta3")) is not None:
        found["delta3_row_sums"] = relative(delta3.sum(axis=1), delta3)
    if (db2 := values.get("db2")) is not None:
        found["db2_sum"] = relative(db2.sum(), db2)
    if (dW2 := values.get("dW2")) is not None and given.hidden is not None:
        decay = given.hidden.decay if shown is None else shown.decay
        data = dW2 - decay * given.hidden.parameters.W2
        found["dW2_row_sums_without_decay"] = relative(data.sum(axis=1), dW2)
    return found


def _of_delta3(loss: Loss, shown: Implied, tolerance: float) -> Evidence:
    scaled = shown.delta * len(loss.p) * loss.T
    with np.errstate(all="ignore"):
        basis = {
            "a2": loss.p, "y": loss.y, "1": np.ones_like(loss.p), "z2": loss.z,
            "a2 y": loss.p * loss.y, "a2^2": loss.p**2, "a2^2 y": loss.p**2 * loss.y,
            "a2^3": loss.p**3, "y / a2": loss.y / loss.p,
        }  # fmt: skip
    usual = {"a2": loss.p, "y": loss.y}
    terms = in_terms(scaled, usual, tolerance) or in_terms(scaled, basis, tolerance)
    lowest = shown.delta.argmin(axis=1)
    one_each = ((shown.delta < 0).sum(axis=1) == 1).all()
    return {
        "implied_delta3": {
            "text": None if terms is None else f"N T delta3 = {terms}",
            "terms": None if terms is None else terms.coefficients,
            "outside_span_of_a1": shown.residual,
            "value": shown.delta,
        },
        "labels_by_sign": lowest if one_each and (lowest != loss.labels).any() else None,
    }


def _of_slope(hidden: Hidden, shown: Implied, delta3: Floats, tolerance: float) -> Evidence:
    """delta2 / (delta3 W2^T), with the answer's own delta3 where it shows one."""
    back = delta3 @ hidden.parameters.W2.T
    readable = np.abs(back) > _READABLE * np.abs(back).max()
    slope = np.divide(shown.delta, back, out=np.full_like(back, np.nan), where=readable)
    basis = {
        "f'(z1)": hidden.slope, "1": np.ones_like(back), "a1": hidden.a1, "a1^2": hidden.a1**2,
        "z1": hidden.z1, "z1^2": hidden.z1**2,
    }  # fmt: skip
    terms = None
    if readable.any() and slope[readable].any():
        usable = {name: array[readable] for name, array in basis.items()}
        terms = in_terms(slope[readable], usable, 100 * tolerance)
    return {
        "text": None if terms is None else f"f' = {terms}",
        "outside_span_of_inputs": shown.residual,
        "z1": hidden.z1,
        "implied": slope,
        "expected": hidden.slope,
    }


def _of_decay(
    hidden: Hidden, values: Tensors, first: Implied | None, second: Implied | None
) -> Evidence:
    """The weight decay in each gradient of weights; a delta that was posted does not tell it."""
    found = {
        "dW1": second if "delta2" not in values else _apart(hidden.x, values, "dW1", hidden),
        "dW2": first if "delta3" not in values else _apart(hidden.a1, values, "dW2", hidden),
    }
    decays = {name: one.decay for name, one in found.items() if one is not None and name in values}
    return decays | {"expected": hidden.decay} if decays else {}


def _apart(source: Floats, values: Tensors, name: str, hidden: Hidden) -> Implied | None:
    if name not in values:
        return None
    weights = hidden.parameters.W1 if name == "dW1" else hidden.parameters.W2
    return implied_by_weights(source, values[name], weights)
