"""Exact arithmetic to hold the formulas against; shares no code with them."""

from collections.abc import Callable
from typing import Any, TypeAlias

import mpmath
import numpy as np
from numpy.typing import NDArray

from model import Float64s, Floats, Labels, Parameters

Exact: TypeAlias = NDArray[Any]  # Any: mpmath carries no types; every entry is an mpf

mpmath.mp.dps = 400  # digits: more than exp(-300) can cancel


def exact_softmax(logits: list[float]) -> list[mpmath.mpf]:
    powers = [mpmath.exp(mpmath.mpf(z)) for z in logits]
    return [power / mpmath.fsum(powers) for power in powers]


def exact_softmax_jacobian(logits: list[float]) -> Float64s:
    p = exact_softmax(logits)
    size = range(len(p))
    return np.array(
        [[float(p[i] * ((1 if i == j else 0) - p[j])) for j in size] for i in size], np.float64
    )


def exact_vjp(logits: list[float], cotangent: list[float]) -> Float64s:
    p, v = exact_softmax(logits), [mpmath.mpf(value) for value in cotangent]
    mean = mpmath.fsum(a * b for a, b in zip(p, v, strict=True))
    return np.array([float(a * (b - mean)) for a, b in zip(p, v, strict=True)], np.float64)


def exact_cross_entropy(logits: list[list[float]], labels: list[int]) -> float:
    losses = [-mpmath.log(exact_softmax(z)[k]) for z, k in zip(logits, labels, strict=True)]
    return float(mpmath.fsum(losses) / len(losses))


def _mp(array: Floats) -> Exact:
    return np.array(np.vectorize(mpmath.mpf, otypes=[object])(array))


def _each(function: Callable[[mpmath.mpf], mpmath.mpf], array: Exact) -> Exact:
    return np.array(np.vectorize(function, otypes=[object])(array))


def exact_network(
    parameters: Parameters, x: Floats, activation: str, temperature: float = 1
) -> dict[str, Exact]:
    """Every node, and f'(z1) as `slope`."""
    W1, b1, W2, b2 = (_mp(array) for array in parameters)
    z1 = _mp(x) @ W1 + b1
    if activation == "tanh":
        a1 = _each(mpmath.tanh, z1)
        slope = _each(lambda z: 1 / mpmath.cosh(z) ** 2, z1)
    else:
        a1 = _each(lambda z: max(z, mpmath.mpf(0)), z1)
        slope = _each(lambda z: mpmath.mpf(z > 0), z1)
    z2 = a1 @ W2 + b2
    powers = _each(mpmath.exp, z2 / mpmath.mpf(temperature))
    p = powers / powers.sum(axis=1, keepdims=True)
    return {"inputs": _mp(x), "z1": z1, "a1": a1, "slope": slope, "logits": z2, "probabilities": p}


def exact_gradients(
    parameters: Parameters,
    x: Float64s,
    y: Float64s,
    activation: str,
    temperature: float = 1,
    weight_decay: float = 0,
) -> dict[str, Exact]:
    """The tensors of a backward pass, and the Jacobian of softmax(z2 / T) by z2."""
    T, decay = mpmath.mpf(temperature), mpmath.mpf(weight_decay)
    v = exact_network(parameters, x, activation, temperature)
    p = v["probabilities"]
    delta3 = (p - _mp(y)) / (len(x) * T)
    delta2 = (delta3 @ _mp(parameters.W2).T) * v["slope"]
    return {
        "jacobian": np.array([(np.diag(row) - np.outer(row, row)) / T for row in p]),
        "delta3": delta3,
        "dW2": v["a1"].T @ delta3 + decay * _mp(parameters.W2),
        "db2": delta3.sum(axis=0),
        "delta2": delta2,
        "dW1": _mp(x).T @ delta2 + decay * _mp(parameters.W1),
        "db1": delta2.sum(axis=0),
    }


def exact_jacobian(
    parameters: Parameters, x: Floats, labels: Labels, activation: str, pair: tuple[str, str]
) -> Exact:
    """The derivative of one node with respect to another or to a parameter, (N, of, wrt).

    The chain as matrices, one for each row: activation and softmax are written out, and the loss
    is taken through the probabilities. `wrt` has the axes of a parameter flattened into one.
    """
    of, wrt = pair
    v = exact_network(parameters, x, activation)
    W1, _, W2, _ = (_mp(array) for array in parameters)

    def of_row(n: int) -> Exact:
        p, label = v["probabilities"][n], labels[n]
        edges = {
            "z1": W1.T,
            "a1": np.diag(v["slope"][n]),
            "logits": W2.T,
            "probabilities": np.diag(p) - np.outer(p, p),
            "loss": np.array([[-1 / (p[k] * len(x)) if k == label else 0 for k in range(len(p))]]),
        }
        chain = list(edges)
        first, entry = _entry(wrt, v["inputs"][n], v["a1"][n], parameters)
        whole = edges[chain[first]] if entry is None else entry
        for node in chain[first + 1 : chain.index(of) + 1]:
            whole = edges[node] @ whole
        return whole

    return np.array([of_row(n) for n in range(len(x))])


def _entry(wrt: str, x: Exact, a1: Exact, parameters: Parameters) -> tuple[int, Exact | None]:
    """The first edge on the way from `wrt`; for a parameter its node, and its own matrix there."""
    nodes = ["inputs", "z1", "a1", "logits", "probabilities"]
    if wrt in nodes:
        return nodes.index(wrt), None
    hidden, classes = parameters.W2.shape
    return {
        "W1": (0, np.kron(x, _mp(np.eye(hidden)))),  # row o: x_d where h = o, at d * H + h
        "b1": (0, _mp(np.eye(hidden))),
        "W2": (2, np.kron(a1, _mp(np.eye(classes)))),
        "b2": (2, _mp(np.eye(classes))),
    }[wrt]


def relative_error(found: Floats, exact: Exact, scale: Exact | None = None) -> float:
    """max |found - exact| / max |scale|, by default of exact; infinite for what should be 0."""
    found = np.asarray(found)
    assert found.shape == exact.shape
    error = max(abs(mpmath.mpf(float(a)) - b) for a, b in zip(found.flat, exact.flat, strict=True))
    size = max(abs(b) for b in (exact if scale is None else scale).flat)
    if error == 0:
        return 0.0
    return float(error / size) if size else np.inf
