"""How much each feature had to do with a class: three ways to say it.

Sources: saliency, Simonyan et al. 2014; integrated gradients, Sundararajan et al. 2017. Equation
numbers are those of docs/mathematics.md.
"""

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from model.arrays import Float64s, Floats, Labels
from model.functions import Activation, one_hot
from model.gradients.chain import point_of_network
from model.gradients.derivatives import Question, derivative
from model.network import Parameters, Trace, forward

Method = Literal["saliency", "gradient-x-input", "integrated-gradients"]
METHODS: tuple[Method, ...] = ("saliency", "gradient-x-input", "integrated-gradients")

_AT_ONCE = 3 * 2**17  # bytes of hidden activations, of which several must fit into a core's cache


class Network(NamedTuple):
    """What is asked about: parameters that act on x - centre, and the activation."""

    parameters: Parameters  # float64, or float32 for speed; the answer keeps the dtype
    activation: Activation
    centre: Floats  # (D,)


class Attributions(NamedTuple):
    """What each feature added, and how far the sum is from what there was to explain."""

    values: Floats  # (N, D)
    completeness_gap: Floats  # (N,): f(x) - f(baseline) - sum of the values


class Path(NamedTuple):
    """From a baseline to the inputs, and what is watched on the way."""

    inputs: Floats  # (N, D)
    baseline: Floats  # (D,)
    of: str  # logits or probabilities
    target: Labels  # (N,), the class whose value is explained
    steps: int = 50  # of the quadrature, for integrated gradients


def attribute(network: Network, path: Path, method: Method) -> Attributions:
    """Attribute the value of each row's target class to its features.

    - saliency: |df/dx|
    - gradient-x-input: df/dx * x
    - integrated-gradients: (x - baseline) * mean of df/dx on the straight line between them, by
      Gauss-Legendre quadrature; exact as far as that is, so its gap says how far it was

    Args:
        network: that made the predictions.
        path: its baseline counts for integrated gradients and for the gap.
        method: one of METHODS.
    """
    end, start = _trace(network, path.inputs), _trace(network, path.baseline[None, :])
    if method == "integrated-gradients":
        values = _mean_gradient(network, path, start, end)
        values *= path.inputs - path.baseline
    else:
        gradient = _gradient(network, path, end)
        values = np.abs(gradient) if method == "saliency" else gradient * path.inputs

    risen = _value(path, end) - _value(path, start)
    return Attributions(values, risen - values.sum(axis=1))


def _trace(network: Network, x: Floats) -> Trace:
    return forward(network.parameters, x - network.centre, network.activation)


def _value(path: Path, trace: Trace) -> Floats:
    """F at the rows of a trace, one row standing for all, (N,)."""
    node = trace.z2 if path.of == "logits" else trace.a2
    rows = np.broadcast_to(node, (len(path.target), node.shape[1]))
    return rows[np.arange(len(rows)), path.target]


def _gradient(network: Network, path: Path, end: Trace) -> Floats:
    """df/dx at the inputs, (N, D)."""
    point = point_of_network(network.parameters, network.activation, path.inputs, end)
    chosen = one_hot(path.target, end.z2.shape[1])
    return derivative(point, Question(path.of, "inputs", "vjp"), chosen)


def _mean_gradient(network: Network, path: Path, start: Trace, end: Trace) -> Floats:
    """Mean of df/dx on the line, (N, D), summed where it is narrow: z1 moves on a line too.

    z1(t) = z1(baseline) + t (z1(x) - z1(baseline)), so one D-wide product of N rows is enough for
    all steps. They are taken together, for as many rows as stay in the processor's cache.
    """
    nodes, weights = (values.astype(end.z1.dtype) for values in _quadrature(path.steps))
    along = np.stack([np.ones_like(nodes), nodes], axis=1)  # (steps, 2)
    line = np.stack([np.broadcast_to(start.z1, end.z1.shape), end.z1 - start.z1])  # (2, N, H)
    mean = np.empty_like(end.z1)

    at_once = max(1, _AT_ONCE // (path.steps * mean[:1].nbytes))
    for first in range(0, len(mean), at_once):
        rows = slice(first, first + at_once)
        z1 = along @ line[:, rows].reshape(2, -1)
        target = np.tile(path.target[rows], path.steps)
        slopes = _slopes(network, path.of, z1.reshape(-1, mean.shape[1]), target)
        mean[rows] = (weights @ slopes.reshape(path.steps, -1)).reshape(-1, mean.shape[1])
    return mean @ network.parameters.W1.T


@lru_cache(maxsize=16)
def _quadrature(steps: int) -> tuple[Float64s, Float64s]:
    """Nodes and weights of Gauss and Legendre on [0, 1], which take longer than a batch."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return (nodes + 1) / 2, weights / 2


def _slopes(network: Network, of: str, z1: Floats, target: Labels) -> Floats:
    """df/dz1 at R points, (R, H).

    What is C wide is kept classes first: NumPy is slow to add up ten numbers at a time.
    """
    (_, _, W2, b2), f = network.parameters, network.activation
    a1 = f.function(z1)
    if of == "probabilities":
        z2 = np.ascontiguousarray((a1 @ W2).T)
        z2 += b2[:, None]
        v = _into_rows_of_jacobian(z2, target).T
    else:
        v = one_hot(target, len(b2))

    slopes = f.derivative(z1, a1)
    slopes *= np.matmul(v, np.ascontiguousarray(W2.T), out=a1)
    return slopes


def _into_rows_of_jacobian(z2: Floats, target: Labels) -> Floats:
    """Each target's row of equation 9, in place of logits (C, R), contiguous.

        p_t (I_tc - p_c) = e_t (I_tc sum e - e_c) / (sum e)^2,  e = exp(z2 - max z2)

    It sums to 0, which gives the diagonal's entry.
    """
    points = z2.shape[1]
    with np.errstate(over="ignore"):  # only towards -inf, whose exponential is rightly 0
        z2 -= z2.max(axis=0)
        rows = np.exp(z2, out=z2)

    flat, chosen = rows.reshape(-1), target * points + np.arange(points)
    own = flat[chosen]
    flat[chosen] = 0
    others = rows.sum(axis=0)

    scale = own / np.square(own + others)
    rows *= -scale
    flat[chosen] = scale * others
    return rows
