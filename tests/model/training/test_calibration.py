import numpy as np
import pytest

from model import Float64s, Labels, cross_entropy, softmax
from model.training import calibration
from model.training.calibration import HeldOut, expected_calibration_error, fit_temperature


def overconfident(rng: np.random.Generator, factor: float) -> tuple[Float64s, Labels]:
    """Logits that are `factor` times as large as the labels deserve."""
    honest = 2 * rng.normal(size=(20_000, 4))
    labels = np.array([rng.choice(4, p=p) for p in softmax(honest)])
    return factor * honest, labels


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_overconfidence(factor: float, rng: np.random.Generator) -> None:
    logits, labels = overconfident(rng, factor)

    # 20,000 labels determine the temperature to about 1 %.
    assert fit_temperature(logits, labels) == pytest.approx(factor, rel=0.03)


def test_no_other_temperature_gives_less_loss(rng: np.random.Generator) -> None:
    logits, labels = overconfident(rng, 2.0)
    best = fit_temperature(logits, labels)

    losses = [cross_entropy(logits / (best * step), labels) for step in (0.98, 1.0, 1.02)]

    assert losses[1] == min(losses)


@pytest.mark.parametrize("start", [0.02, 0.5, 3.0, 50.0])
def test_the_start_does_not_change_what_is_found(start: float, rng: np.random.Generator) -> None:
    logits, labels = overconfident(rng, 2.0)

    # Newton's last step is at most 1e-6, and squares what was off before it.
    found = fit_temperature(logits, labels, start)
    assert found == pytest.approx(fit_temperature(logits, labels), rel=1e-10)


@pytest.mark.parametrize("block", [3, 100, 10**6])
def test_rows_may_be_looked_at_in_blocks(
    block: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    logits, labels = overconfident(rng, 2.0)
    logits, labels = logits[:100], labels[:100]
    expected = fit_temperature(logits, labels)

    monkeypatch.setattr(calibration, "_BLOCK", block)

    assert fit_temperature(logits, labels) == pytest.approx(expected, rel=1e-12)
    loss = cross_entropy(logits / 1.7, labels)
    assert HeldOut(logits, labels).loss(1.7) == pytest.approx(loss, rel=1e-12)


def test_logits_may_be_as_large_as_float32_is() -> None:
    """Warnings are errors here."""
    logits = np.array([[3e38, -3e38], [-3e38, 3e38], [3e38, 3e38]], np.float32)

    assert fit_temperature(logits, np.array([0, 1, 0])) == pytest.approx(50.0)


def test_all_right_is_no_reason_for_certainty() -> None:
    logits, labels = np.eye(3)[[0, 1, 2] * 20] * 5, np.array([0, 1, 2] * 20)

    p = softmax(logits / fit_temperature(logits, labels))

    # 60 of 60 right: by the rule of succession about 1 in 62 of the next ones is not.
    assert 0.97 < p.max() < 0.999


def test_all_wrong_stays_in_bounds() -> None:
    logits, labels = np.eye(2)[[0, 1] * 50] * 5, np.array([1, 0] * 50)

    assert fit_temperature(logits, labels) == pytest.approx(50.0)


def test_without_rows_nothing_is_changed() -> None:
    assert fit_temperature(np.empty((0, 3)), np.empty(0, np.int64)) == 1.0


def test_calibration_error_of_a_case_worked_by_hand() -> None:
    """Confidences 0.9 (right, wrong) and 0.6 (right): gaps 0.4 and 0.4."""
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])

    ece = expected_calibration_error(p, np.array([0, 1, 1]))

    assert ece == pytest.approx(2 / 3 * 0.4 + 1 / 3 * 0.4, rel=1e-12)


def test_bins_are_closed_on_the_right() -> None:
    """1/15 * 12 = 0.8 lies in bin 12 with 0.79, so their gaps cancel; 1 lies in the last."""
    p = np.array([[0.8, 0.2], [0.79, 0.21], [1.0, 0.0]])

    ece = expected_calibration_error(p, np.array([0, 1, 0]))

    assert ece == pytest.approx(abs((1 - 0.8) - 0.79) / 3, rel=1e-12)
