"""How much each feature had to do with a class: three ways to say it, in float64.

Sources: saliency, Simonyan et al. 2014; integrated gradients, Sundararajan et al. 2017.
"""

from typing import Literal, NamedTuple

import numpy as np

from model.arrays import Float64s, Floats, Labels
from model.functions import Activation, softmax
from model.gradients.chain import point_of_network
from model.gradients.derivatives import Question, derivative
from model.network import Parameters, Trace, forward

Method = Literal["saliency", "gradient-x-input", "integrated-gradients"]
METHODS: tuple[Method, ...] = ("saliency", "gradient-x-input", "integrated-gradients")


class Network(NamedTuple):
    """What is asked about: parameters that act on x - centre, and the activation."""

    parameters: Parameters  # float64
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
    if method == "integrated-gradients":
        values = (path.inputs - path.baseline) * _mean_gradient(network, path)
    else:
        gradient = _gradient(network, path)
        values = np.abs(gradient) if method == "saliency" else gradient * path.inputs

    risen = _value(network, path, path.inputs) - _value(network, path, path.baseline[None, :])
    return Attributions(values, risen - values.sum(axis=1))


def _trace(network: Network, x: Floats) -> Trace:
    return forward(network.parameters, x - network.centre, network.activation)


def _value(network: Network, path: Path, x: Floats) -> Floats:
    """F at rows of x, one row standing for all, (N,)."""
    trace = _trace(network, x)
    node = trace.z2 if path.of == "logits" else trace.a2
    rows = np.broadcast_to(node, (len(path.target), node.shape[1]))
    return rows[np.arange(len(rows)), path.target]


def _gradient(network: Network, path: Path) -> Floats:
    """df/dx at the inputs, (N, D)."""
    trace = _trace(network, path.inputs)
    point = point_of_network(network.parameters, network.activation, path.inputs, trace)
    return derivative(point, Question(path.of, "inputs", "vjp"), _chosen(network, path))


def _mean_gradient(network: Network, path: Path) -> Floats:
    """Mean of df/dx on the line, summed where it is narrow: z1 moves on a line too.

    z1(t) = z1(baseline) + t (z1(x) - z1(baseline)), so D-wide products are needed twice, not for
    every step.
    """
    start = _trace(network, path.baseline[None, :]).z1
    end = _trace(network, path.inputs).z1
    nodes, weights = np.polynomial.legendre.leggauss(path.steps)

    total: Float64s = np.zeros_like(end)
    question, chosen = Question(path.of, "z1", "vjp"), _chosen(network, path)
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        z1 = start + node * (end - start)
        a1 = network.activation.function(z1)
        z2 = a1 @ network.parameters.W2 + network.parameters.b2
        trace = Trace(z1, a1, z2, softmax(z2))
        point = point_of_network(network.parameters, network.activation, path.inputs, trace)
        total += weight * derivative(point, question, chosen)
    return total @ network.parameters.W1.T


def _chosen(network: Network, path: Path) -> Float64s:
    """A unit vector for each row's target, (N, C)."""
    return np.eye(len(network.parameters.b2))[path.target]
