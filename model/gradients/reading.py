"""Arrays of a probe, or of somebody's own, made sure of."""

import difflib
import itertools
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from model.arrays import Floats, Labels
from model.errors import InvalidInputError
from model.functions import ACTIVATIONS
from model.gradients.given import Given, Level, Passed, at_logits, at_network
from model.network import Parameters

# Any: arrays and numbers, and the name of the activation.
GivenArrays: TypeAlias = Mapping[str, Any]

_NEEDED = {
    "jacobian": ("logits",),
    "loss": ("logits", "labels"),
    "network": ("inputs", "labels", *Parameters._fields, "activation"),
}
_KINDS = {"b": "true and false", "U": "text", "S": "bytes", "c": "complex numbers"}
_OPTIONAL = {
    "jacobian": ("temperature",),
    "loss": ("temperature",),
    "network": ("weight_decay", "temperature"),
}


def read_given(arrays: GivenArrays) -> Given:
    """Arrays by their names as the point they describe.

    Args:
        arrays: `logits`; `logits` and `labels`; or `inputs`, `labels`, `W1 b1 W2 b2` and
            `activation`. Where they fit, `weight_decay` (0) and `temperature` (1).

    Raises:
        InvalidInputError: a name, shape or value is not what is expected, or a logit overflows.
    """
    level = _level(arrays)
    T = _number(arrays, "temperature", 1.0)
    if T <= 0:
        detail = "expected a number above 0"
        raise InvalidInputError("invalid-value", detail, name="given/temperature")
    if level == "network":
        return _network(arrays, T)
    z = _array(arrays, "logits", ("N", "C"))
    return at_logits(level, z, T, _labels(arrays, z) if level == "loss" else None)


def _level(arrays: GivenArrays) -> Level:
    level: Level = "jacobian"
    if "inputs" in arrays or "W1" in arrays:
        level = "network"
    elif "labels" in arrays:
        level = "loss"
    allowed = (*_NEEDED[level], *_OPTIONAL[level])
    for name in arrays:
        if name not in allowed:
            known = tuple(dict.fromkeys(itertools.chain(*_NEEDED.values(), *_OPTIONAL.values())))
            detail = f"expected {', '.join(allowed)}{nearest(str(name), known)}"
            raise InvalidInputError("unknown-field", detail, name=f"given/{name}")
    for name in _NEEDED[level]:
        if name not in arrays:
            detail = f"expected `{name}` beside {', '.join(arrays) or 'nothing'}"
            raise InvalidInputError("missing-field", detail, name="given")
    return level


def nearest(name: str, allowed: tuple[str, ...]) -> str:
    """A hint, when one of the names is what was probably meant."""
    found = difflib.get_close_matches(name.lower(), [choice.lower() for choice in allowed], n=1)
    meant = [choice for choice in allowed if found and choice.lower() == found[0]]
    return f"; did you mean {meant[0]}?" if meant else ""


def _network(arrays: GivenArrays, T: float) -> Given:
    x = _array(arrays, "inputs", ("N", "D"))
    W1 = _array(arrays, "W1", (x.shape[1], "H"))
    W2 = _array(arrays, "W2", (W1.shape[1], "C"))
    b1, b2 = _array(arrays, "b1", (W2.shape[0],)), _array(arrays, "b2", (W2.shape[1],))
    name = str(arrays["activation"])
    if name not in ACTIVATIONS:
        detail = f"expected one of {', '.join(ACTIVATIONS)}"
        raise InvalidInputError("invalid-value", detail, name="given/activation")
    decay = _number(arrays, "weight_decay", 0.0)
    if decay < 0:
        detail = "expected a number of at least 0"
        raise InvalidInputError("invalid-value", detail, name="given/weight_decay")
    with np.errstate(over="ignore", invalid="ignore"):
        z1 = x @ W1 + b1
        a1 = ACTIVATIONS[name].function(z1)
        z = a1 @ W2 + b2
    parameters = Parameters(W1, b1, W2, b2)
    return at_network(
        parameters, ACTIVATIONS[name], Passed(x, z1, a1, z), _labels(arrays, z), T=T, decay=decay
    )


def _array(arrays: GivenArrays, name: str, shape: tuple[int | str, ...]) -> Floats:
    """float64 of this shape; letters stand for any length from 1. A flat row is a batch of one."""
    value = numbers(arrays[name], f"given/{name}")
    if name in ("inputs", "logits") and value.ndim == 1:
        value = value[None]
    fits = value.ndim == len(shape) and all(
        length == wanted if isinstance(wanted, int) else length > 0
        for length, wanted in zip(value.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
        detail = f"expected shape ({wanted}), got {value.shape}"
        raise InvalidInputError("wrong-shape", detail, name=f"given/{name}")
    if not np.isfinite(value).all():
        raise InvalidInputError("invalid-value", "expected finite numbers", name=f"given/{name}")
    return value


def numbers(value: ArrayLike, place: str) -> Floats:
    """As float64; complex numbers, text and ragged lists are refused."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise InvalidInputError("ragged-rows", "expected rows of one length", name=place) from None
    if array.dtype.kind not in "fiu":
        detail = f"expected numbers, got {_KINDS.get(array.dtype.kind, 'something else')}"
        raise InvalidInputError("invalid-type", detail, name=place)
    return array.astype(np.float64)


def _number(arrays: GivenArrays, name: str, default: float) -> float:
    return float(_array({name: arrays.get(name, default)}, name, ()))


def _labels(arrays: GivenArrays, z: Floats) -> Labels:
    values = _array(arrays, "labels", (len(z),))
    rows = np.flatnonzero((values != np.floor(values)) | (values < 0) | (values >= z.shape[1]))
    if len(rows):
        detail = f"expected class indices from 0 to {z.shape[1] - 1}"
        raise InvalidInputError("unknown-label", detail, row=int(rows[0]), name="given/labels")
    return values.astype(np.int64)
