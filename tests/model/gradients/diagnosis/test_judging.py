from collections.abc import Callable

import numpy as np
import pytest

from model.arrays import Floats
from model.gradients import check, probe, read_given, right_answers
from model.gradients.diagnosis.judging import precision_of_zeros
from tests.model.gradients.diagnosis.problems import network, right
from tests.verdicts.others import in_type

CERTAIN = {"logits": np.array([[18.0, 0.0, -1.0, 1.0]]), "labels": np.array([0])}


def to_digits(count: int) -> Callable[[Floats], Floats]:
    return lambda values: np.array(
        [float(f"{v:.{count}g}") for v in values.flat]
    ).reshape(values.shape)  # fmt: skip


def test_a_nearly_certain_label_is_undecidable_in_float32_not_wrong() -> None:
    report = check(CERTAIN, right(in_type(CERTAIN, np.float32)))

    assert report.verdict == "undecidable"
    assert report.mistakes == ()
    assert report.evidence["decidable_at"] == {"level": "loss", "seed": 0}


def test_the_point_that_the_report_leads_to_can_be_decided_there() -> None:
    led = check(CERTAIN, right(in_type(CERTAIN, np.float32))).evidence["decidable_at"]
    posed = probe(led["level"], led["seed"])

    assert check(posed, right(in_type(posed.given, np.float32))).verdict == "right"


def test_the_same_label_is_decided_in_float64() -> None:
    assert check(CERTAIN, right(CERTAIN)).verdict == "right"


def test_a_mistake_is_seen_even_where_float32_decides_little() -> None:
    """Twice as large is further off than rounding explains: three digits are left here."""
    given = {"logits": np.array([[9.0, 0.0, -1.0, 1.0]]), "labels": np.array([0])}

    doubled = {name: 2 * g for name, g in right(in_type(given, np.float32)).items()}

    assert check(given, doubled).verdict == "wrong"


@pytest.mark.parametrize(
    "write",
    [
        *(to_digits(count) for count in (3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 17)),
        lambda values: values.astype(np.float32),
        np.vectorize(lambda v: float(str(np.float32(v)))),
    ],
)
@pytest.mark.parametrize("level", ["jacobian", "loss", "network"])
def test_however_a_right_gradient_is_written_it_is_right(
    level: str, write: Callable[[Floats], Floats]
) -> None:
    posed = probe(level, 3)

    report = check(posed, {name: write(g) for name, g in right(posed.given).items()})

    assert report.verdict == "right"


def test_a_right_gradient_in_float16_is_never_wrong() -> None:
    posed = probe("network", 3)

    report = check(posed, {name: g.astype(np.float16) for name, g in right(posed.given).items()})

    assert report.verdict in {"right", "undecidable"}


def test_zeros_alone_may_be_all_that_float16_could_hold() -> None:
    """The true entries are near 2e-8, less than half of the smallest float16."""
    given = {"logits": np.tile([15.0, 0.0], (16, 1)), "labels": np.zeros(16, int)}
    posted = right(given)["delta3"].astype(np.float16)

    report = check(given, {"delta3": posted})

    assert not posted.any()
    assert report.verdict == "undecidable"


def test_zeros_alone_are_wrong_where_float16_holds_more() -> None:
    posed = probe("loss", 0)

    report = check(posed, {"delta3": 0 * right(posed.given)["delta3"]})

    assert report.verdict == "wrong"


def test_zeros_alone_may_come_from_a_delta_that_float16_could_not_hold() -> None:
    """The inputs make dW1 large enough for float16, but nothing is left of delta3 to multiply."""
    weights, b2 = 1e-6 * network()["W1"], np.array([15.0, 0, 0, 0])
    inputs, labels = 1e5 * np.ones((64, 6)), np.zeros(64, int)
    given = network(N=64, inputs=inputs, W1=weights, b2=b2, labels=labels)

    report = check(given, {"dW1": np.zeros((6, 7))})

    assert right(given)["dW1"].astype(np.float16).any()
    assert report.verdict == "undecidable"


def test_weight_decay_is_no_zero_in_float16_whatever_becomes_of_delta3() -> None:
    given = network(b2=np.array([25.0, 0, 0, 0]), labels=np.zeros(3, int))
    nothing: dict[str, Floats] = {"dW1": np.zeros((6, 7))}

    def precision(decay: float) -> str | None:
        point = read_given(given | {"weight_decay": decay})
        return precision_of_zeros("dW1", nothing, point, right_answers(point))

    assert precision(0.0) == "float16"
    assert precision(0.1) is None


def test_zeros_alone_are_wrong_however_much_rounding_would_excuse() -> None:
    """Logits of 6000: float16 could have any digits here, but it would not have nothing."""
    given = {"logits": np.array([[6000.0, 6000.5, 0.0]]), "labels": np.array([0])}

    report = check(given, {"delta3": np.zeros((1, 3))})

    assert report.verdict == "wrong"
    assert report.mistakes


def test_round_numbers_that_are_exact_are_right_however_few_their_digits() -> None:
    given = {"logits": np.zeros((1, 2)), "labels": np.array([0])}

    assert check(given, {"delta3": [[-0.5, 0.5]]}).verdict == "right"


def test_one_digit_that_is_not_exact_decides_nothing() -> None:
    given = {"logits": np.array([[0.1, 0.0]]), "labels": np.array([0])}

    assert check(given, {"delta3": [[-0.5, 0.5]]}).verdict == "undecidable"


def test_large_gradients_printed_short_are_not_taken_for_integers() -> None:
    given = {
        "logits": np.array([[0.1, 0.2, 0.1]]), "labels": np.array([0]), "temperature": 0.0015,
    }  # fmt: skip
    exact = right(given)["delta3"]

    assert check(given, {"delta3": to_digits(3)(exact)}).verdict == "right"


def test_what_float32_cannot_hold_is_not_held_against_it() -> None:
    """The right entries are below the smallest float32, so that they came out as 0."""
    given = network(W1=np.full((6, 7), 1e-50), b1=np.zeros(7))

    report = check(given, {"dW2": right(in_type(given, np.float32))["dW2"]})

    assert report.verdict == "undecidable"


def test_the_entry_that_is_furthest_off_is_pointed_at() -> None:
    posed = probe("loss", 0)
    posted = right(posed.given)["delta3"]
    posted[2, 1] += 0.25

    judged = check(posed, {"delta3": posted}).tensors["delta3"]

    assert judged.verdict == "wrong"
    assert judged.worst is not None
    assert tuple(judged.worst[0]) == (2, 1)
    assert judged.worst.received - judged.worst.expected == pytest.approx(0.25)


def test_the_precision_can_be_said() -> None:
    posed = probe("loss", 0)
    posted = right(posed.given)["delta3"] * (1 + 1e-6)

    assert check(posed, {"delta3": posted}, "float64").verdict == "wrong"
    assert check(posed, {"delta3": posted}, "4 digits").verdict == "right"
    assert check(posed, {"delta3": posted}, "4 digits").tensors["delta3"].precision == "4 digits"
