"""Points to check at, and what is posted there."""

import numpy as np

from model.gradients import Report
from tests.verdicts.made import Answer, Array, Given
from tests.verdicts.programs import answer


def slugs(report: Report) -> list[str]:
    """What was named, best first."""
    return [found.mistake.slug for found in report.mistakes]


def network(
    N: int = 3, D: int = 6, H: int = 7, C: int = 4, activation: str = "tanh", **changes: object
) -> Given:
    """A small network of its own, at moderate numbers; `changes` replace what is given."""
    rng = np.random.default_rng(20260)
    given: Given = {
        "inputs": rng.normal(size=(N, D)),
        "labels": np.arange(N) % C,
        "W1": rng.normal(size=(D, H)) / 2,
        "b1": rng.normal(size=H) / 2,
        "W2": rng.normal(size=(H, C)) / 2,
        "b2": rng.normal(size=C) / 2,
        "activation": activation,
    }
    return given | changes


def probabilities(given: Given) -> Array:
    """softmax of the network's logits at its temperature."""
    z1 = given["inputs"] @ given["W1"] + given["b1"]
    a1 = np.tanh(z1) if given["activation"] == "tanh" else np.maximum(z1, 0)
    powers = np.exp((a1 @ given["W2"] + given["b2"]) / given.get("temperature", 1))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def followed(given: Given, delta3: Array) -> Answer:
    """What a right program makes of a delta3."""
    z1 = given["inputs"] @ given["W1"] + given["b1"]
    tanh = given["activation"] == "tanh"
    a1 = np.tanh(z1) if tanh else np.maximum(z1, 0)
    delta2 = delta3 @ given["W2"].T * (1 - a1**2 if tanh else z1 > 0)
    decay = given.get("weight_decay", 0.0)
    return {
        "dW1": given["inputs"].T @ delta2 + decay * given["W1"],
        "db1": delta2.sum(axis=0),
        "dW2": a1.T @ delta3 + decay * given["W2"],
        "db2": delta3.sum(axis=0),
    }


def right(given: Given) -> Answer:
    """The answer of a program without mistakes."""
    return answer(given)
