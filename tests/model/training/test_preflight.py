import numpy as np
import pytest

from model import (
    ACTIVATIONS,
    Activation,
    Floats,
    Parameters,
    PreflightError,
    Trace,
    backward,
    initial_parameters,
    one_hot,
)
from model.training.preflight import preflight

RELU = ACTIVATIONS["relu"]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_sound_start_passes(activation: str, rng: np.random.Generator) -> None:
    f = ACTIVATIONS[activation]
    start = initial_parameters((4, 6, 3), f, rng)
    x = rng.normal(size=(20, 4)).astype(np.float32)

    preflight(start, x, one_hot(rng.integers(3, size=20), 3), f, rng)


def test_a_start_that_knows_too_much_is_refused(rng: np.random.Generator) -> None:
    start = initial_parameters((4, 6, 3), RELU, rng)
    start.W2[:] *= 100
    x = rng.normal(size=(20, 4)).astype(np.float32)

    with pytest.raises(PreflightError, match=r"2 ln 3 = 2\.2"):
        preflight(start, x, one_hot(rng.integers(3, size=20), 3), RELU, rng)


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
def test_a_wrong_gradient_is_named(
    name: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(p: Parameters, x: Floats, trace: Trace, y: Floats, f: Activation) -> Parameters:
        gradients = backward(p, x, trace, y, f)
        return gradients._replace(**{name: 1.001 * getattr(gradients, name)})

    monkeypatch.setattr("model.training.preflight.backward", wrong)
    start = initial_parameters((4, 6, 3), RELU, rng)
    x = rng.normal(size=(20, 4)).astype(np.float32)

    with pytest.raises(PreflightError, match=f"backprop of {name} disagrees"):
        preflight(start, x, one_hot(rng.integers(3, size=20), 3), RELU, rng)
