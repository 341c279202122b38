"""Problems to check somebody's gradients with: the same arrays for the same seed, for ever.

Every number is an integer drawn from PCG64's raw stream, in thousandths, so that it prints with at
most three decimals and is the same on every machine. Draws that would hide a mistake are thrown
away and drawn again: units at the kink of relu or where tanh is flat, rows whose probabilities are
close to uniform or to certain, labels that leave a class out of play.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays import Floats
from model.errors import InvalidInputError
from model.functions import ACTIVATIONS, softmax
from model.gradients.given import LEVELS, Level
from model.network import Parameters, forward

PROBE_VERSION = 1
LARGEST_SEED = 2**63 - 1

_CONVENTIONS = {
    "jacobian": (
        "p = softmax(logits), row by row. jacobian[n, i, j] is the derivative of p[n, i] with "
        "respect to logits[n, j]."
    ),
    "loss": (
        "loss = mean over the N rows of -log softmax(logits)[label], with labels counted from 0. "
        "delta3[n, i] is the derivative of the loss with respect to logits[n, i]."
    ),
    "network": (
        "z1 = inputs W1 + b1; a1 = f(z1), f being `activation`; logits = a1 W2 + b2; loss = mean "
        "over the N rows of -log softmax(logits / temperature)[label] + weight_decay / 2 "
        "(sum W1^2 + sum W2^2), with labels counted from 0. dW1 db1 dW2 db2 are the derivatives "
        "of the loss with respect to W1 b1 W2 b2, delta3 with respect to the logits, delta2 with "
        "respect to z1."
    ),
}

Thousandths = NDArray[np.int64]
Shape = tuple[int, ...]


class Probe(NamedTuple):
    """A problem, and what is wanted of whoever answers it."""

    level: Level
    seed: int
    probe_version: int
    given: dict[str, Any]  # arrays, numbers, and the name of the activation
    wanted: dict[str, Shape]
    optional: dict[str, Shape]
    conventions: str


def probe(level: str, seed: int) -> Probe:
    """The problem with this level and seed.

    Args:
        level: `jacobian`, `loss` or `network`.
        seed: from 0 to 2^63 - 1.

    Raises:
        InvalidInputError: `invalid-value`: there is no such level or seed.
    """
    if level not in LEVELS:
        detail = f"expected one of {', '.join(LEVELS)}"
        raise InvalidInputError("invalid-value", detail, name="level")
    if not 0 <= seed <= LARGEST_SEED:
        raise InvalidInputError(
            "invalid-value", "expected an integer from 0 to 2^63 - 1", name="seed"
        )

    draws = _Draws(seed)
    given = _network(draws) if level == "network" else _logits(draws, labelled=level == "loss")
    wanted, optional = _shapes(given)
    return Probe(
        LEVELS[LEVELS.index(level)],
        seed,
        PROBE_VERSION,
        given,
        wanted,
        optional,
        _CONVENTIONS[level],
    )


def activation_of(seed: int) -> str:
    """That of the probe of the level `network` with this seed, without drawing all of it."""
    return _architecture(_Draws(seed))[1]


class _Draws:
    """PCG64's raw integers, as integers in a range."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def integers(self, low: int, high: int, shape: Shape = ()) -> Thousandths:
        """From low to high, both included. The range is tiny beside 2^64, so modulo is fair."""
        raw = np.asarray(self._bits.random_raw(math.prod(shape)), np.uint64)
        return ((raw % np.uint64(high - low + 1)).astype(np.int64) + low).reshape(shape)

    def one(self, low: int, high: int) -> int:
        return int(self.integers(low, high, (1,))[0])


def _decimal(thousandths: Thousandths) -> Floats:
    return thousandths / 1000.0


def _logits(draws: _Draws, *, labelled: bool) -> dict[str, Any]:
    N, C = (3, 5)[draws.one(0, 1)], (4, 6)[draws.one(0, 1)]
    while True:
        z = _decimal(draws.integers(-2500, 2500, (N, C)))
        if _telling(softmax(z)):
            break
    if not labelled:
        return {"logits": z}
    return {"logits": z, "labels": _labels(draws, softmax(z))}


def _network(draws: _Draws) -> dict[str, Any]:
    (N, C, D, H), activation = _architecture(draws)
    T, decay = draws.one(1300, 1900) / 1000, draws.one(50, 150) / 1000

    x = draws.integers(-2000, 2000, (N, D))
    W1, b1 = _hidden_layer(draws, x, H)
    while True:
        W2, b2 = draws.integers(-1200, 1200, (H, C)), _biases(draws, C)
        parameters = Parameters(*map(_decimal, (W1, b1, W2, b2)))
        p = softmax(forward(parameters, _decimal(x), ACTIVATIONS[activation]).z2 / T)
        if _telling(p):
            break
    return {
        "inputs": _decimal(x),
        "labels": _labels(draws, p),
        **parameters._asdict(),
        "activation": activation,
        "weight_decay": decay,
        "temperature": T,
    }


def _architecture(draws: _Draws) -> tuple[Shape, str]:
    """(N, C, D, H) and the activation."""
    N, C = (3, 5)[draws.one(0, 1)], (4, 6)[draws.one(0, 1)]
    D, H = draws.one(7, 9), draws.one(10, 12)
    return (N, C, D, H), ("relu", "tanh")[draws.one(0, 1)]


def _hidden_layer(draws: _Draws, x: Thousandths, H: int) -> tuple[Thousandths, Thousandths]:
    """Units that are on in some rows and off in others, clear of the kink and of flat tanh."""
    columns: list[Thousandths] = []
    biases: list[Thousandths] = []
    while len(columns) < H:
        column, bias = draws.integers(-700, 700, (x.shape[1],)), _biases(draws, 1)
        z1 = np.abs(z := x @ column + 1000 * bias)  # in millionths, so these comparisons are exact
        if z1.min() > 100_000 and z1.max() < 2_500_000 and z.min() < 0 < z.max():
            columns.append(column)
            biases.append(bias)
    return np.stack(columns, axis=1), np.concatenate(biases)


def _biases(draws: _Draws, size: int) -> Thousandths:
    """Of either sign, and away from 0, where they would hide mistakes."""
    return draws.integers(200, 1000, (size,)) * (2 * draws.integers(0, 1, (size,)) - 1)


def _telling(p: Floats) -> bool:
    """Whether no row is close to certain or to uniform, and no class is close to impossible."""
    largest = p.max(axis=1)
    return bool((largest < 0.9).all() and (largest > 1.5 / p.shape[1]).all() and p.min() > 0.01)


def _labels(draws: _Draws, p: Floats) -> NDArray[np.int64]:
    """At least three classes, and some rows that the network gets wrong."""
    while True:
        labels = draws.integers(0, p.shape[1] - 1, (len(p),))
        if len(set(labels.tolist())) >= 3 and (labels != p.argmax(axis=1)).any():
            return labels


def _shapes(given: dict[str, Any]) -> tuple[dict[str, Shape], dict[str, Shape]]:
    """Names and shapes of what is wanted, and of what may be added to it."""
    if "inputs" in given:
        (N, _), (H, C) = given["inputs"].shape, given["W2"].shape
        wanted = {f"d{name}": given[name].shape for name in Parameters._fields}
        return wanted, {"delta3": (N, C), "delta2": (N, H)}
    N, C = given["logits"].shape
    return {"delta3": (N, C)} if "labels" in given else {"jacobian": (N, C, C)}, {}
