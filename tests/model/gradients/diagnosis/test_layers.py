import numpy as np
import pytest

from model.gradients import probe, read_given
from model.gradients.chain import known
from model.gradients.diagnosis import layers
from model.gradients.diagnosis.fitting import Posted, Way, leeway, stacked
from model.gradients.diagnosis.layers import Layer, explain_layer
from model.gradients.diagnosis.ways import delta3s, factors
from model.gradients.given import right_answers
from model.gradients.mistakes.sums import DECAYS

GIVEN = read_given(probe("network", 0).given)
LOSS, HIDDEN = known(GIVEN.loss), known(GIVEN.hidden)
RIGHT = right_answers(GIVEN)
WAYS = delta3s(LOSS)
OUTPUT = Layer(
    [Way((), HIDDEN.a1)], HIDDEN.parameters.W2, HIDDEN.parameters.b2, HIDDEN.decay, factors(LOSS),
    ("delta3", "dW2", "db2"),
)  # fmt: skip


def posted(**tensors: np.ndarray) -> dict[str, Posted]:
    return {name: Posted(value, 1e-9) for name, value in tensors.items()}


def explained(tensors: dict[str, Posted]) -> layers.Outcome:
    return explain_layer(OUTPUT, stacked(WAYS), tensors, leeway(WAYS))


def test_only_ways_that_explain_the_smallest_tensor_are_left() -> None:
    outcome = explained(posted(dW2=RIGHT["dW2"], db2=RIGHT["db2"]))

    assert 0 in outcome.ways
    assert len(outcome.ways) < len(WAYS) / 2
    assert outcome.names[list(outcome.ways).index(0)] == ()
    assert outcome.unexplained[list(outcome.ways).index(0)] == ()


def test_where_none_of_them_explains_the_layer_every_way_is_looked_at() -> None:
    """db2 is right, but dW2 is nobody's."""
    outcome = explained(posted(dW2=np.cos(RIGHT["dW2"]), db2=RIGHT["db2"]))

    assert outcome.ways.tolist() == list(range(len(WAYS)))
    assert outcome.unexplained[0] == ("dW2",)
    assert all("dW2" in open_ for open_ in outcome.unexplained)


def test_leaving_ways_out_changes_nothing_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = posted(dW2=RIGHT["dW2"] + HIDDEN.decay * HIDDEN.parameters.W2, db2=RIGHT["db2"])
    some = explained(tensors)

    monkeypatch.setattr(layers, "_AT_ONCE", 1)  # and one prediction at a time
    again = explained(tensors)

    assert some.names[0] == (next(d.mistake for d in DECAYS if d.mistake.slug == "decay-doubled"),)
    assert again.names == some.names
    np.testing.assert_array_equal(again.errors, some.errors)


def test_a_layer_of_which_nothing_was_posted_rules_nothing_out() -> None:
    outcome = explained(posted(dW1=RIGHT["dW1"]))

    assert outcome.ways.tolist() == list(range(len(WAYS)))
    assert set(outcome.unexplained) == {()}


def test_the_layer_is_reported_in_the_order_of_its_tensors() -> None:
    """The smallest is compared first, but named where it belongs."""
    wrong = {name: np.cos(RIGHT[name]) for name in ("db2", "dW2", "delta3")}

    outcome = explained(posted(**wrong))

    assert outcome.unexplained[0] == ("delta3", "dW2", "db2")
