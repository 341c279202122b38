"""The three-layer network: input, hidden, output. Forward, and the backprop by hand.

The page to read first. Shapes: N rows, D features, H hidden units, C classes.
Equation numbers are those of docs/mathematics.md.
"""

from typing import NamedTuple

import numpy as np

from model.arrays import Floats
from model.functions import Activation, softmax


class Parameters(NamedTuple):
    """Weights and biases. Gradients have the same shapes, so they share the type."""

    W1: Floats  # (D, H)
    b1: Floats  # (H,)
    W2: Floats  # (H, C)
    b2: Floats  # (C,)


class Trace(NamedTuple):
    """What the forward pass computed, kept for the backward pass."""

    z1: Floats  # (N, H)  pre-activation
    a1: Floats  # (N, H)  activation
    z2: Floats  # (N, C)  logits
    a2: Floats  # (N, C)  probabilities


def initial_parameters(
    shape: tuple[int, int, int], activation: Activation, rng: np.random.Generator
) -> Parameters:
    """Random float32 weights whose variance keeps signals the same size layer after layer.

    He for relu (variance 2/fan_in), Glorot for tanh (variance 2/(fan_in + fan_out)). The output
    layer has a tenth of Glorot's standard deviation, so that the first probabilities are close to
    uniform: a network that knows nothing should not be sure of anything. Biases start at 0.

    Args:
        shape: (D, H, C), each at least 1.
        activation: decides between He and Glorot for W1.
        rng: the only source of randomness.

    Source: docs/mathematics.md, equation 20; He et al. 2015; Glorot and Bengio 2010.
    """
    features, hidden, classes = shape
    variance = 2 / features if activation.name == "relu" else 2 / (features + hidden)

    W1 = rng.normal(scale=np.sqrt(variance), size=(features, hidden))
    W2 = rng.normal(scale=np.sqrt(0.02 / (hidden + classes)), size=(hidden, classes))
    return Parameters(
        W1=W1.astype(np.float32),
        b1=np.zeros(hidden, np.float32),
        W2=W2.astype(np.float32),
        b2=np.zeros(classes, np.float32),
    )


def forward(parameters: Parameters, x: Floats, activation: Activation) -> Trace:
    """From features to probabilities.

    Args:
        parameters: of one dtype, which the answer keeps.
        x: (N, D).
        activation: f.

    Returns:
        Every intermediate, by its name.

    Source: docs/mathematics.md, equations 1 to 4.
    """
    z1 = x @ parameters.W1 + parameters.b1
    a1 = activation.function(z1)
    z2 = a1 @ parameters.W2 + parameters.b2
    return Trace(z1, a1, z2, softmax(z2))


def backward(
    parameters: Parameters, x: Floats, trace: Trace, y: Floats, activation: Activation
) -> Parameters:
    """Gradient of the mean cross-entropy with respect to every parameter.

    delta3 and delta2 are the gradients with respect to the logits z2 (N, C) and to the hidden
    layer's pre-activation z1 (N, H).

    Args:
        parameters: those of the forward pass.
        x: (N, D), the same rows.
        trace: what `forward` returned for them.
        y: (N, C), target distribution of each row: one-hot, or smoothed; rows sum to 1.
        activation: f.

    Source: docs/mathematics.md, equations 12 to 17.
    """
    delta3 = (trace.a2 - y) / len(x)
    delta2 = (delta3 @ parameters.W2.T) * activation.derivative(trace.z1, trace.a1)

    return Parameters(
        W1=x.T @ delta2,
        b1=delta2.sum(axis=0),
        W2=trace.a1.T @ delta3,
        b2=delta3.sum(axis=0),
    )
