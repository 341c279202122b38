"""Which mistakes show at which level, in how many forms, and what they need in order to show.

A mistake that the probes cannot show is tried on a problem made from a probe, for which `OWN` has
the change.
"""

from collections.abc import Callable

import numpy as np

from tests.verdicts.made import Given

_SOFTMAX = ("double-softmax", "softmax-over-batch", "softmax-over-everything")
_TEMPERATURE = (
    "temperature-ignored", "temperature-multiplied", "temperature-not-divided",
    "temperature-divided-twice",
)  # fmt: skip
NO_NUMBERS = ("exp-overflow", "shift-over-batch", "not-finite")
_LAYOUTS = ("transposed", "flattened", "fortran-order", "integer-dtype")
_WHOLE = ("negative-gradient", "learning-rate-folded-in", "accumulated", "adam-step", *_LAYOUTS)

DELTA3 = (
    *_SOFTMAX, "double-softmax-backpropagated", "extra-softmax-derivative",
    "stops-at-probabilities", "true-class-only", "wrong-classes-only", "squared-error-diagonal",
    "squared-error", "one-vs-rest", "logits-for-probabilities", "labels-shifted",
    "labels-not-one-hot", "labels-forgotten", "labels-smoothed", "rows-weighted",
    "sum-instead-of-mean", "mean-taken-twice", "mean-over-classes", "classes-multiplied",
    "delta3-negated", "doubled", "halved", *_TEMPERATURE,
)  # fmt: skip
SLOPES = (
    "slope-omitted", "slope-at-activation", "slope-of-sigmoid", "mask-closed", "slope-inverted",
    "slope-of-other-activation", "slope-unsquared", "slope-of-pre-activation",
    "activation-for-slope", "gradient-stopped", "mask-leaky",
)  # fmt: skip

SHOWN: dict[str, tuple[str, ...]] = {
    "jacobian": (
        "overwritten-loop", "overwritten-loop-of-probabilities", "logits-in-outer-product",
        "jacobian-as-vector", "jacobian-diagonal-only", "derivative-of-logits",
        "jacobian-without-diagonal", "jacobian-without-outer-product", "outer-product-added",
        "log-softmax-jacobian", "jacobian-negated", *_SOFTMAX, *_TEMPERATURE, *_LAYOUTS,
        *NO_NUMBERS,
    ),
    "loss": (*DELTA3, *_WHOLE, *NO_NUMBERS),
    "network": (
        *DELTA3, *SLOPES, "weights-updated-first", "weights-not-transposed",
        "pre-activation-for-activation", "inputs-for-activation", "bias-averaged",
        "bias-of-one-row", "bias-not-summed", "bias-over-wrong-axis", "decay-missing",
        "decay-doubled", "decay-halved", "decay-averaged", "decay-negated", "decay-on-biases",
        *_WHOLE, "tensors-swapped", *NO_NUMBERS,
    ),
}  # fmt: skip

# The Jacobian is symmetric.
NEVER = {("jacobian", "transposed")}

# With the other activation nobody makes them; f'(a1) = f'(z1) for relu, so it is a blind spot.
ONLY = {
    "mask-closed": "relu", "mask-leaky": "relu", "slope-unsquared": "tanh",
    "slope-of-pre-activation": "tanh",
}  # fmt: skip

# How many variants, or numbers, a mistake is made with; the rest have one.
FORMS = {
    "labels-shifted": 2, "labels-smoothed": 3, "stops-at-probabilities": 2, "squared-error": 2,
    "logits-for-probabilities": 2, "temperature-ignored": 2, "temperature-multiplied": 2,
    "logits-in-outer-product": 2, "derivative-of-logits": 2, "log-softmax-jacobian": 2,
    "mask-leaky": 3, "weights-updated-first": 2, "bias-of-one-row": 2, "bias-over-wrong-axis": 2,
    "learning-rate-folded-in": 3, "accumulated": 5,
}  # fmt: skip


def forms(level: str, slug: str) -> int:
    """At the level `jacobian`, a second softmax may be differentiated or not."""
    return 2 if (level, slug) == ("jacobian", "double-softmax") else FORMS.get(slug, 1)


def _with_temperature(given: Given) -> Given:
    return given | {"temperature": 1.6}


def _as_wide_as_classes(given: Given) -> Given:
    """H = C, so that W2 fits without being transposed."""
    return _narrowed(given, given["W2"].shape[1])


def _as_wide_as_inputs(given: Given) -> Given:
    """H = D, so that the inputs fit where the activations belong."""
    return _narrowed(given, given["W1"].shape[0])


def _narrowed(given: Given, units: int) -> Given:
    cut = {"W1": given["W1"][:, :units], "b1": given["b1"][:units], "W2": given["W2"][:units]}
    return given | cut


def _steep(given: Given) -> Given:
    """Logits in the thousands."""
    if "logits" in given:
        return given | {"logits": 2000 * given["logits"]}
    return given | {"W2": 2000 * given["W2"]}


def _far_apart(given: Given) -> Given:
    """A row whose logits all lie a thousand below those of the others."""
    if "logits" in given:
        below = np.zeros((len(given["logits"]), 1))
        below[0] = 1000
        return given | {"logits": given["logits"] - below}
    # One input more, which only the first row has, drives one unit more, which lowers all logits.
    D, H = given["W1"].shape
    inputs = np.pad(given["inputs"], ((0, 0), (0, 1)))
    inputs[0, D] = 1.0
    W1 = np.pad(given["W1"], ((0, 1), (0, 1)))
    W1[D, H] = 3.0
    W2 = np.pad(given["W2"], ((0, 1), (0, 0)))
    W2[H] = -3000.0
    return given | {"inputs": inputs, "W1": W1, "b1": np.pad(given["b1"], (0, 1)), "W2": W2}


OWN: dict[tuple[str, str], Callable[[Given], Given]] = {
    ("network", "weights-not-transposed"): _as_wide_as_classes,
    ("network", "inputs-for-activation"): _as_wide_as_inputs,
    **{(level, slug): _with_temperature for level in ("jacobian", "loss") for slug in _TEMPERATURE},
    **{(level, "exp-overflow"): _steep for level in SHOWN},
    **{(level, "shift-over-batch"): _far_apart for level in SHOWN},
}


def problem(level: str, slug: str, given: Given) -> Given:
    """The probe's arrays, or what a mistake needs instead in order to show."""
    change = OWN.get((level, slug))
    return given if change is None else change(given)
