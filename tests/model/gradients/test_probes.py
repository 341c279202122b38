"""Probes are what they were, and show what they promise to show."""

import json
from pathlib import Path
from typing import Any  # Any: what JSON holds

import numpy as np
import pytest

from model import ACTIVATIONS, Parameters, forward, softmax
from model.arrays import Floats
from model.errors import InvalidInputError
from model.gradients import LARGEST_SEED, Probe, activation_of, probe
from model.gradients.given import LEVELS

GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("probe-*.json"))
SEEDS = range(300)


def printed(posed: Probe) -> str:
    """JSON, with a line for each array."""
    given = {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in posed.given.items()
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in given.items()]
    return (
        f'{{"level": "{posed.level}", "seed": {posed.seed}, "given": {{\n'
        + ",\n".join(lines)
        + "\n}}\n"
    )


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_probe_is_the_same_for_ever(path: Path) -> None:
    """To the last digit: the numbers are compared as they are printed."""
    frozen = path.read_text(encoding="utf-8")
    asked = json.loads(frozen)

    assert printed(probe(asked["level"], asked["seed"])) == frozen


def test_every_level_is_frozen_at_the_first_and_the_last_seed() -> None:
    names = {path.stem for path in GOLDEN}

    assert {f"probe-{level}-{seed}" for level in LEVELS for seed in (0, 7, 2**63 - 1)} <= names


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", [-1, 2**63, 2**64])
def test_other_seeds_are_refused_with_the_range(level: str, seed: int) -> None:
    with pytest.raises(InvalidInputError, match="an integer from 0 to 2\\^63 - 1"):
        probe(level, seed)


def test_other_levels_are_refused_with_what_there_is() -> None:
    with pytest.raises(InvalidInputError, match="expected one of jacobian, loss, network"):
        probe("layer", 0)


@pytest.mark.parametrize("level", LEVELS)
def test_another_seed_is_another_problem(level: str) -> None:
    texts = {printed(probe(level, seed)).partition("given")[2] for seed in SEEDS}

    assert len(texts) == len(SEEDS)


@pytest.mark.parametrize("level", LEVELS)
def test_numbers_have_at_most_three_decimals(level: str) -> None:
    for seed in SEEDS:
        for value in probe(level, seed).given.values():
            if not isinstance(value, str):
                numbers = np.asarray(value, np.float64)
                np.testing.assert_array_equal(numbers, np.round(numbers, 3))


@pytest.mark.parametrize("level", LEVELS)
def test_every_shape_that_is_wanted_is_that_of_an_answer(level: str) -> None:
    posed = probe(level, 1)
    wanted = posed.wanted | posed.optional

    if level == "network":
        for name in Parameters._fields:
            assert wanted[f"d{name}"] == posed.given[name].shape
    else:
        (shape,) = wanted.values()
        assert shape[: posed.given["logits"].ndim] == posed.given["logits"].shape


@pytest.mark.parametrize("level", ["jacobian", "loss"])
def test_logits_tell_rows_from_classes(level: str) -> None:
    """N odd, at least 3 and never C; C at least 4: no sum or mean is hidden by its size."""
    for seed in SEEDS:
        N, C = probe(level, seed).given["logits"].shape
        assert N % 2 == 1
        assert N >= 3
        assert C >= 4
        assert N != C


def test_no_two_axes_of_a_network_are_alike() -> None:
    for seed in SEEDS:
        given = probe("network", seed).given
        sizes = {*given["inputs"].shape, *given["W2"].shape}
        assert len(sizes) == 4
        assert len(given["inputs"]) % 2 == 1


def pre_activations(given: dict[str, Any]) -> Floats:
    z1: Floats = given["inputs"] @ given["W1"] + given["b1"]
    return z1


def test_units_are_on_in_some_rows_and_off_in_others_and_clear_of_the_kink() -> None:
    for seed in SEEDS:
        z1 = pre_activations(probe("network", seed).given)
        assert np.abs(z1).min() > 0.1
        assert np.abs(z1).max() < 2.5  # where tanh is not yet flat: its slope is above 0.026
        assert ((z1 > 0).any(axis=0) & (z1 < 0).any(axis=0)).all()


@pytest.mark.parametrize("level", LEVELS)
def test_no_row_is_close_to_uniform_or_to_certain(level: str) -> None:
    for seed in SEEDS:
        p = probabilities(probe(level, seed).given)
        assert p.max(axis=1).max() < 0.9
        assert p.max(axis=1).min() > 1.5 / p.shape[1]
        assert p.min() > 0.01


def probabilities(given: dict[str, Any]) -> Floats:
    if "logits" in given:
        return softmax(given["logits"])
    parameters = Parameters(*(given[name] for name in Parameters._fields))
    a = forward(parameters, given["inputs"], ACTIVATIONS[given["activation"]])
    return softmax(a.z2 / given["temperature"])


@pytest.mark.parametrize("level", ["loss", "network"])
def test_labels_are_of_three_classes_and_some_are_not_predicted(level: str) -> None:
    for seed in SEEDS:
        given = probe(level, seed).given
        labels = given["labels"]
        assert len(set(labels.tolist())) >= 3
        assert (labels != probabilities(given).argmax(axis=1)).any()


def test_biases_decay_and_temperature_hide_nothing() -> None:
    for seed in SEEDS:
        given = probe("network", seed).given
        assert np.abs(given["b1"]).min() >= 0.2
        assert np.abs(given["b2"]).min() >= 0.2
        assert 0.05 <= given["weight_decay"] <= 0.15
        assert 1.3 <= given["temperature"] <= 1.9


def test_both_activations_are_posed_about_as_often() -> None:
    tanh = sum(probe("network", seed).given["activation"] == "tanh" for seed in SEEDS)

    assert 100 < tanh < 200


def test_the_activation_is_known_without_the_rest() -> None:
    for seed in (*range(30), LARGEST_SEED):
        assert activation_of(seed) == probe("network", seed).given["activation"]
