"""The network as a chain of edges, each knowing how derivatives pass it in either direction.

    inputs -> z1 -> a1 -> logits -> probabilities -> loss

The loss also hangs on the logits by an edge of its own: through the probabilities its derivative
would be divided by a probability and multiplied by it again, and be lost where that underflows.

Derivatives carry any number of axes between the row and the node: (N, ..., K). The activation and
softmax edges are applied elementwise, never as matrices. The loss is a node with one value for
each row, its share of the mean. Equation numbers are those of docs/mathematics.md.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np

from model.arrays import Floats, Labels
from model.functions import Activation, centred, complement, softmax
from model.gradients.kernels import softmax_jacobians
from model.network import Parameters, Trace

Value = TypeVar("Value")

NODES = ("inputs", "z1", "a1", "logits", "probabilities", "loss")


class Point(NamedTuple):
    """Where derivatives are taken. A field is None when that end of the chain is not known."""

    parameters: Parameters | None  # acting on raw features; None for bare logits
    inputs: Floats | None  # (N, D)
    z1: Floats | None  # (N, H)
    a1: Floats | None  # (N, H)
    slope: Floats | None  # (N, H), f'(z1)
    logits: Floats  # (N, C)
    probabilities: Floats  # (N, C)
    labels: Labels | None  # (N,)


def point_of_network(
    parameters: Parameters,
    activation: Activation,
    inputs: Floats,
    trace: Trace,
    labels: Labels | None = None,
) -> Point:
    """The point at which a forward pass was made."""
    slope = activation.derivative(trace.z1, trace.a1)
    return Point(parameters, inputs, trace.z1, trace.a1, slope, trace.z2, trace.a2, labels)


def point_of_logits(logits: Floats, labels: Labels | None = None) -> Point:
    """The point of bare logits, which know nothing of what made them."""
    return Point(None, None, None, None, None, logits, softmax(logits), labels)


class Edge(NamedTuple):
    """One step of the chain and its two derivatives.

    `pull` takes derivatives with respect to `end` to those with respect to `start` (its VJP);
    `push` takes changes of `start` to those of `end` (its JVP). Both: (point, (N, ..., K)).
    """

    start: str
    end: str
    pull: Callable[[Point, Floats], Floats]
    push: Callable[[Point, Floats], Floats]


def _by_slope(point: Point, v: Floats) -> Floats:
    """f'(z1) v, elementwise: the matrix would be diagonal (equation 15)."""
    return _along_rows(known(point.slope), v) * v


def _by_softmax(point: Point, v: Floats) -> Floats:
    """Softmax by p (v - sum p v) in both directions: the matrix is symmetric (equation 10)."""
    p = np.broadcast_to(_along_rows(point.probabilities, v), v.shape)
    return p * centred(p, v)


def delta3(point: Point) -> Floats:
    """dloss/dlogits = (p - y) / N, (N, C), exact where the label is nearly certain (equation 12).

    There p - 1 would cancel to nothing; the sum of the other probabilities is the same number.
    """
    p, labels = point.probabilities, known(point.labels)
    rows = np.arange(len(labels))
    delta = p.copy()
    delta[rows, labels] = -complement(p)[rows, labels]
    return delta / len(labels)


def _inverse_likelihood(point: Point) -> Floats:
    """dloss/dprobabilities = -y / (N p), (N, C); -inf where the label's probability is 0."""
    p, labels = point.probabilities, known(point.labels)
    rows = np.arange(len(labels))
    slope = np.zeros_like(p)
    with np.errstate(divide="ignore"):
        slope[rows, labels] = -1 / (len(labels) * p[rows, labels])
    return slope


EDGES = (
    Edge(
        "inputs", "z1",
        pull=lambda point, v: _times(v, known(point.parameters).W1.T),
        push=lambda point, t: _times(t, known(point.parameters).W1),
    ),
    Edge("z1", "a1", pull=_by_slope, push=_by_slope),
    Edge(
        "a1", "logits",
        pull=lambda point, v: _times(v, known(point.parameters).W2.T),
        push=lambda point, t: _times(t, known(point.parameters).W2),
    ),
    Edge("logits", "probabilities", pull=_by_softmax, push=_by_softmax),
    Edge(
        "logits", "loss",
        pull=lambda point, v: v * delta3(point),
        push=lambda point, t: (t * delta3(point)).sum(axis=-1, keepdims=True),
    ),
    Edge(
        "probabilities", "loss",
        pull=lambda point, v: v * _inverse_likelihood(point),
        push=lambda point, t: (t * _inverse_likelihood(point)).sum(axis=-1, keepdims=True),
    ),
)  # fmt: skip


# Stretches whose Jacobian, (N, end, start), is had for less than the products of unit vectors.
MATRICES: dict[tuple[str, str], Callable[[Point], Floats]] = {
    ("inputs", "z1"): lambda point: _each_row(point, known(point.parameters).W1.T),
    ("a1", "logits"): lambda point: _each_row(point, known(point.parameters).W2.T),
    ("logits", "probabilities"): lambda point: softmax_jacobians(point.probabilities),
}


def path(start: str, end: str) -> tuple[Edge, ...] | None:
    """The edges from one node to a later one; () for the node itself, None when there is no way."""
    if start == end:
        return ()
    for edge in EDGES:
        before = path(start, edge.start) if edge.end == end else None
        if before is not None:
            return (*before, edge)
    return None


class Entry(NamedTuple):
    """Where a parameter enters the chain: node = source @ weights + bias."""

    node: str
    source: Callable[[Point], Floats] | None  # (N, K) that weights are multiplied by; None: a bias


# The parameters, and where each enters.
ENTRIES = {
    "W1": Entry("z1", lambda point: known(point.inputs)),
    "b1": Entry("z1", None),
    "W2": Entry("logits", lambda point: known(point.a1)),
    "b2": Entry("logits", None),
}


PARAMETERS = tuple(ENTRIES)


def _along_rows(values: Floats, like: Floats) -> Floats:
    """(N, K) with axes of length 1 put in, so that it applies to (N, ..., K)."""
    return values.reshape(len(values), *[1] * (like.ndim - 2), values.shape[-1])


def _times(values: Floats, weights: Floats) -> Floats:
    """(N, ..., K) @ (K, M), as one product and not one for each row."""
    product = values.reshape(-1, values.shape[-1]) @ weights
    return product.reshape(*values.shape[:-1], weights.shape[1])


def _each_row(point: Point, weights: Floats) -> Floats:
    """The same matrix for every row, read-only and without the memory of that."""
    return np.broadcast_to(weights, (len(point.probabilities), *weights.shape))


def known(value: Value | None) -> Value:
    """What the question needs, which `reachable` has made sure of."""
    if value is None:
        raise ValueError("this end of the chain is not known at this point")
    return value
