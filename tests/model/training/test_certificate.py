from pathlib import Path

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
    load_artifact,
    save_artifact,
)
from model.data import load_digits
from model.training import Plan, certify, fit


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_backprop_that_trains_is_right(activation: str) -> None:
    certificate = certify(ACTIVATIONS[activation], 11)

    assert certificate["verdict"] == "right"
    assert certificate["seed"] >= 11
    assert set(certificate["relative_error"]["float32"]) == {"dW1", "db1", "dW2", "db2"}
    # A few roundings of each precision: 2^-53 and 2^-24.
    assert max(certificate["relative_error"]["float64"].values()) < 1e-14
    assert max(certificate["relative_error"]["float32"].values()) < 1e-5
    assert {"slope-omitted", "sum-instead-of-mean"} <= set(certificate["mistakes_seen"])
    assert not set(certificate["mistakes_seen"]) & set(certificate["blind_spots"])


def test_the_last_seed_has_a_certificate_too() -> None:
    assert certify(ACTIVATIONS["relu"], 2**63 - 1)["verdict"] == "right"


def test_wrong_backprop_trains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_slope(
        parameters: Parameters, x: Floats, trace: Trace, y: Floats, activation: Activation
    ) -> Parameters:
        linear = activation._replace(derivative=lambda z, a: np.ones_like(z))
        return backward(parameters, x, trace, y, linear)

    monkeypatch.setattr("model.training.certificate.backward", without_slope)

    with pytest.raises(PreflightError, match="the backprop of training is wrong in float64"):
        certify(ACTIVATIONS["tanh"], 0)


def test_the_certificate_is_saved_with_the_model(tmp_path: Path) -> None:
    trained = fit(load_digits(), Plan(epochs=1, hidden=8), "digits")
    save_artifact(tmp_path / "digits.npz", trained.artifact)

    certificate = load_artifact(tmp_path / "digits.npz").metadata["certificate"]

    assert certificate == certify(ACTIVATIONS["relu"], 0)
