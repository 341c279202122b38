"""Somebody's own backprop at each level: forward and backward, as in a textbook."""

from collections.abc import Callable

import numpy as np

from tests.verdicts.made import RIGHT, Answer, Array, Given, Made
from tests.verdicts.programs_hidden import BACK, BIASES, DECAYS, SLOPES, SOURCES, Hidden
from tests.verdicts.programs_jacobian import jacobian_of
from tests.verdicts.programs_output import delta3_of

STEPS = (0.01, -0.03, 0.001)  # learning rates
PASSES = (2, 3, 4, 5, 6)  # over one batch
_SWAP = {"dW1": "dW2", "dW2": "dW1", "db1": "db2", "db2": "db1"}


def of_each(change: Callable[[Array, int], Array]) -> Callable[[Answer, int], Answer]:
    """The same done to every tensor; the integer is the form of the mistake."""
    return lambda answer, form: {name: change(g, form) for name, g in answer.items()}


# What becomes of the gradients at the end.
ENDS: dict[str, Callable[[Answer, int], Answer]] = {
    RIGHT: lambda answer, form: answer,
    "negative-gradient": of_each(lambda g, form: -g),
    "learning-rate-folded-in": of_each(lambda g, form: g.dtype.type(STEPS[form]) * g),
    "accumulated": of_each(lambda g, form: np.add.reduce([g] * PASSES[form])),
    "adam-step": of_each(lambda g, form: 0.001 * g / (np.sqrt(g * g) + 1e-8)),
    "transposed": of_each(lambda g, form: np.swapaxes(g, -1, -2) if g.ndim > 1 else g),
    "flattened": of_each(lambda g, form: g.ravel()),
    "fortran-order": of_each(lambda g, form: g.ravel(order="F").reshape(g.shape)),
    "tensors-swapped": lambda answer, form: {_SWAP[name]: g for name, g in answer.items()},
    "integer-dtype": of_each(lambda g, form: g.astype(int).astype(g.dtype)),
    "not-finite": of_each(lambda g, form: g / (np.abs(g) < np.abs(g).max())),
}


def jacobian(given: Given, made: Made) -> Answer:
    """The derivative of every probability by every logit."""
    return made.line(ENDS)(jacobian_of(given, made), made.form)


def loss(given: Given, made: Made) -> Answer:
    """The gradient by the logits."""
    z: Array = given["logits"]
    T = z.dtype.type(given.get("temperature", 1))
    return made.line(ENDS)({"delta3": delta3_of(z, given["labels"], T, made)}, made.form)


def network(given: Given, made: Made) -> Answer:
    """The gradients by every parameter, and both deltas."""
    x, W1, b1, W2, b2 = (given[name] for name in ("inputs", "W1", "b1", "W2", "b2"))
    real, relu, form = x.dtype.type, given["activation"] == "relu", made.form
    T, decay = real(given.get("temperature", 1)), real(given.get("weight_decay", 0))

    z1 = x @ W1 + b1
    a1 = np.maximum(z1, 0) if relu else np.tanh(z1)
    z2 = a1 @ W2 + b2
    hidden = Hidden(x, z1, a1, relu, form)

    delta3 = delta3_of(z2, given["labels"], T, made)
    dW2 = made.line(SOURCES)(hidden).T @ delta3 + made.line(DECAYS)(W2, decay, len(x))
    delta2 = delta3 @ made.line(BACK)(W2, dW2, form) * made.line(SLOPES)(hidden)
    dW1 = x.T @ delta2 + made.line(DECAYS)(W1, decay, len(x))

    bias = made.line(BIASES)
    answer = {
        "dW1": dW1,
        "db1": bias(delta2, b1, decay, form),
        "dW2": dW2,
        "db2": bias(delta3, b2, decay, form),
    }
    return made.line(ENDS)(answer, form)


_PROGRAMS = {"jacobian": jacobian, "loss": loss, "network": network}


def answer(given: Given, made: Made = Made()) -> Answer:  # noqa: B008  # a constant
    """What a program that makes these mistakes computes, at the level of what is given."""
    level = "network" if "inputs" in given else "loss" if "labels" in given else "jacobian"
    with np.errstate(all="ignore"):
        return _PROGRAMS[level](given, made)
