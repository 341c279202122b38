"""The backprop that trains, put to the test that anybody's backprop can be put to.

So is the one of `model.network`, which says what the other one should compute.
"""

from collections.abc import Callable

import numpy as np

from model.arrays import Floats, Labels
from model.artifact import Metadata
from model.errors import PreflightError
from model.functions import ACTIVATIONS, Activation, one_hot
from model.gradients import (
    Place,
    Probe,
    Report,
    activation_of,
    check,
    place_of,
    possible_mistakes,
    probe,
)
from model.network import Parameters, backward, forward
from model.training.backprop import Backprop, flattened, layers
from model.training.rows import with_ones

_Gradient = Callable[[Parameters, Floats, Labels, Activation], Parameters]

_PRECISIONS = ("float64", "float32")  # what softlens checks in, and what it trains in


def certify(activation: Activation, seed: int) -> Metadata:
    """Check the training gradients at a probe, and keep what was found.

    The probe is the first from `seed` on that has this activation; its weight decay and
    temperature are left out, because training applies them elsewhere.

    Args:
        activation: of the network that is to be trained.
        seed: at which to begin.

    Returns:
        JSON: the probe, the relative error of each tensor by precision, the slugs of the mistakes
        that would have shown, and of those that would not.

    Raises:
        PreflightError: a gradient is not right.
    """
    problem = _problem(activation, seed)
    given = problem.given | {"weight_decay": 0.0, "temperature": 1.0}
    place, reports = place_of(given), {}
    for precision in _PRECISIONS:
        for gradient in (_textbook, _in_place):  # the last one trains
            report = _report(place, given, precision, gradient)
            if report.verdict != "right":
                raise PreflightError(
                    f"the backprop of training is {report.verdict} in {precision} at the probe "
                    f"with seed {problem.seed}; this is a bug in softlens"
                )
            reports[precision] = report

    unseen = reports["float32"].blind_spots
    return {
        "verdict": "right",
        "level": problem.level,
        "seed": problem.seed,
        "probe_version": problem.probe_version,
        "relative_error": {
            precision: {name: found.relative_error for name, found in report.tensors.items()}
            for precision, report in reports.items()
        },
        "mistakes_seen": [slug for slug in possible_mistakes(place) if slug not in unseen],
        "blind_spots": list(unseen),
    }


def _problem(activation: Activation, seed: int) -> Probe:
    while activation_of(seed) != activation.name:
        seed = (seed + 1) % 2**63
    return probe("network", seed)


def _report(place: Place, given: Metadata, precision: str, gradient: _Gradient) -> Report:
    activation = ACTIVATIONS[given["activation"]]
    parameters = Parameters(*(given[name].astype(precision) for name in Parameters._fields))
    found = gradient(parameters, given["inputs"].astype(precision), given["labels"], activation)
    candidate = {f"d{name}": np.asarray(array) for name, array in found._asdict().items()}
    return check(place, candidate, precision)


def _textbook(
    parameters: Parameters, x: Floats, labels: Labels, activation: Activation
) -> Parameters:
    y = one_hot(labels, len(parameters.b2)).astype(x.dtype)
    return backward(parameters, x, forward(parameters, x, activation), y, activation)


def _in_place(
    parameters: Parameters, x: Floats, labels: Labels, activation: Activation
) -> Parameters:
    flat, shape = flattened(parameters), (*parameters.W1.shape, len(parameters.b2))
    gradient = layers(np.empty_like(flat), shape)
    backprop = Backprop(layers(flat, shape), activation.name, smoothing=0.0, rows=len(x))
    backprop.gradient(with_ones(x, x.shape[1]), labels, 1 / len(x), gradient)
    return gradient.parameters
