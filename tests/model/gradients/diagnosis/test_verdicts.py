import numpy as np
import pytest

from model.gradients import check, probe, read_given
from tests.model.gradients.diagnosis.problems import network, right, slugs
from tests.verdicts.made import Array, Given, made
from tests.verdicts.programs import answer


@pytest.mark.parametrize("logits", [[1.2, -0.4, 0.7, 2.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
@pytest.mark.parametrize("slug", ["overwritten-loop", "logits-in-outer-product"])
def test_the_loop_that_started_it_is_known_by_name(logits: list[float], slug: str) -> None:
    """As a vector that is overwritten and as a matrix; for one row, posted without its axis."""
    given = {"logits": np.array([logits])}
    posted = answer(given, made(slug))["jacobian"]

    assert slugs(check(given, {"jacobian": posted})) == [slug]
    assert slugs(check(given, {"jacobian": posted[0]})) == [slug]


@pytest.mark.parametrize("at_kink", [0.0, 0.5, 1.0])
def test_no_slope_at_the_kink_of_relu_is_an_accusation(at_kink: float) -> None:
    given = network(activation="relu", inputs=np.eye(3, 6), b1=np.zeros(7))
    given["W1"][0, 0] = 0.0  # and with it z1[0, 0]
    z1 = given["inputs"] @ given["W1"]
    plain = right(given | {"b1": np.where(z1[0] == 0, -1e-300, 0)})
    delta3 = delta3_of(given)
    delta2 = delta3 @ given["W2"].T * np.where(z1 == 0, at_kink, z1 > 0)

    report = check(given, {**plain, "dW1": given["inputs"].T @ delta2, "db1": delta2.sum(axis=0)})

    assert report.verdict == ("right" if at_kink == 0 else "undecidable")


def delta3_of(given: Given) -> Array:
    """What the level `loss` has for the logits of a relu network."""
    a1 = np.maximum(given["inputs"] @ given["W1"] + given["b1"], 0)
    at_logits = {"logits": a1 @ given["W2"] + given["b2"], "labels": given["labels"]}
    return answer(at_logits)["delta3"]


def test_a_slope_beyond_the_kink_is_still_wrong() -> None:
    given = network(activation="relu", inputs=np.eye(3, 6), b1=np.zeros(7))
    given["W1"][0, 0] = 0.0

    assert check(given, answer(given, made("mask-closed"))).verdict == "wrong"


def test_w2_that_is_not_transposed_is_named_where_it_fits() -> None:
    given = network(H=4, C=4)

    assert slugs(check(given, answer(given, made("weights-not-transposed")))) == [
        "weights-not-transposed"
    ]


def test_labels_may_broadcast_across_columns_where_rows_are_as_many() -> None:
    given = network(N=4, C=4)

    report = check(given, answer(given, made("labels-not-one-hot", form=1)))

    assert slugs(report) == ["labels-not-one-hot"]


@pytest.mark.parametrize("names", [["db2"], ["dW1"], ["dW2", "dW1"], ["db1", "db2"], ["dW2"]])
def test_part_of_an_answer_is_judged_as_far_as_it_goes(names: list[str]) -> None:
    posed = probe("network", 4)
    exact = right(posed.given)

    report = check(posed, {name: exact[name] for name in names})

    assert report.verdict == "right"
    assert set(report.not_given) == {"dW1", "db1", "dW2", "db2"} - set(names)


@pytest.mark.parametrize("names", [["dW1"], ["db1"], ["dW1", "db1"], ["dW1", "dW2"]])
def test_part_of_an_answer_is_enough_to_name_a_slope(names: list[str]) -> None:
    posed = probe("network", 4)
    posted = answer(posed.given, made("slope-of-sigmoid"))

    assert slugs(check(posed, {name: posted[name] for name in names})) == ["slope-of-sigmoid"]


def test_deltas_may_be_added() -> None:
    posed = probe("network", 4)
    C = posed.given["W2"].shape[1]
    report = check(posed, {"delta3": np.zeros((len(posed.given["inputs"]), C))})

    assert report.verdict == "wrong"
    assert report.tensors["delta3"].verdict == "wrong"


def test_wrong_outweighs_undecidable() -> None:
    given = {"logits": np.array([[40.0, 0.0, -1.0]]), "labels": np.array([0])}

    assert check(given, {"delta3": np.array([[0.5, -0.25, -0.25]])}).verdict == "wrong"


def test_weights_updated_without_their_decay_are_recognised() -> None:
    """As with decoupled weight decay: the update holds the data's part of the gradient alone."""
    posed = probe("network", 3)
    hidden, loss = read_given(posed.given).hidden, read_given(posed.given).loss
    assert hidden is not None
    assert loss is not None
    delta3 = loss.delta3
    updated = hidden.parameters.W2 - 0.05 * hidden.a1.T @ delta3
    delta2 = (delta3 @ updated.T) * hidden.slope
    posted = right(posed.given) | {
        "dW1": hidden.x.T @ delta2 + hidden.decay * hidden.parameters.W1,
        "db1": delta2.sum(axis=0),
    }

    report = check(posed, {name: posted[name] for name in posed.wanted})

    assert slugs(report) == ["weights-updated-first"]
