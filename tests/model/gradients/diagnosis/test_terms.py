import numpy as np
import pytest

from model.arrays import Floats
from model.gradients.diagnosis.terms import in_terms
from model.gradients.given import Tensors

RNG = np.random.default_rng(20260)
BASIS: Tensors = {name: RNG.normal(size=(5, 4)) for name in ("a2", "y", "z2", "a2 y")}


def test_a_sum_is_written_out() -> None:
    terms = in_terms(1.3 * BASIS["a2"] - 0.8 * BASIS["y"], BASIS, 1e-9)

    assert str(terms) == "1.300 a2 - 0.800 y"


def test_the_shortest_sum_is_chosen() -> None:
    terms = in_terms(-2.0 * BASIS["z2"], BASIS, 1e-9)

    assert terms is not None
    assert list(terms.coefficients) == ["z2"]
    assert str(terms) == "-2.000 z2"


def test_a_constant_stands_without_a_name() -> None:
    basis: Tensors = {"1": np.ones(6), "x": np.arange(6.0)}

    assert str(in_terms(np.arange(6.0) - 0.5, basis, 1e-9)) == "-0.500 + 1.000 x"


def test_what_no_three_terms_make_has_no_terms() -> None:
    assert in_terms(RNG.normal(size=(5, 4)), BASIS, 1e-9) is None


def test_what_only_four_terms_make_has_none_either() -> None:
    assert in_terms(sum(BASIS.values(), np.zeros((5, 4))), BASIS, 1e-9) is None


def test_rounding_is_allowed_for() -> None:
    values = 5 * BASIS["a2"] - 5 * BASIS["y"]
    printed = np.array([float(f"{v:.3g}") for v in values.flat]).reshape(values.shape)

    assert in_terms(printed, BASIS, 1e-9) is None
    assert str(in_terms(printed, BASIS, 1e-2)).endswith(" y")


@pytest.mark.parametrize("bad", [np.zeros((5, 4)), np.full((5, 4), np.nan)])
def test_arrays_that_say_nothing_are_passed_over(bad: Floats) -> None:
    terms = in_terms(2 * BASIS["y"], {"bad": bad, **BASIS}, 1e-9)

    assert str(terms) == "2.000 y"
