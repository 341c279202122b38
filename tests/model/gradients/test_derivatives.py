"""Every derivative against complex steps through a network written anew here."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model import ACTIVATIONS, Float64s, InvalidInputError, Parameters, forward
from model.gradients import (
    NODES,
    Mode,
    Point,
    Question,
    check_question,
    derivative,
    point_of_logits,
    point_of_network,
    result_shape,
    sizes_of,
    vector_shape,
)
from tests.model.oracles import exact_softmax_jacobian
from tests.model.pairs import PAIRS

Numbers = NDArray[Any]  # Any: real or complex
STEP = 1e-30
N, D, H, C = 3, 4, 6, 5
LABELS = np.array([2, 0, 4])


def network(values: dict[str, Numbers], start: str, activation: str) -> dict[str, Numbers]:
    """Every node from `start` on, in complex arithmetic; `values` holds parameters and `start`."""
    v = dict(values)
    if start == "inputs":
        v["z1"] = v["inputs"] @ v["W1"] + v["b1"]
    if start in {"inputs", "z1"}:
        z1 = v["z1"]
        v["a1"] = np.tanh(z1) if activation == "tanh" else np.where(z1.real > 0, z1, 0)
    if start in {"inputs", "z1", "a1"}:
        v["logits"] = v["a1"] @ v["W2"] + v["b2"]
    if start != "probabilities":
        powers = np.exp(v["logits"] - v["logits"].real.max(axis=1, keepdims=True))
        v["probabilities"] = powers / powers.sum(axis=1, keepdims=True)
    rows = np.arange(len(LABELS))
    v["loss"] = -np.log(v["probabilities"][rows, LABELS]).sum() / len(LABELS)
    return v


@pytest.fixture(params=["relu", "tanh"])
def activation(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=range(5))
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    return np.random.default_rng(request.param)


@pytest.fixture
def parameters(rng: np.random.Generator) -> Parameters:
    return Parameters(
        rng.normal(size=(D, H)), rng.normal(size=H), rng.normal(size=(H, C)), rng.normal(size=C)
    )


@pytest.fixture
def point(parameters: Parameters, activation: str, rng: np.random.Generator) -> Point:
    x, f = rng.normal(size=(N, D)), ACTIVATIONS[activation]
    return point_of_network(parameters, f, x, forward(parameters, x, f), LABELS)


def measured(point: Point, of: str, wrt: str, activation: str) -> Float64s:
    """d of / d wrt by one complex step for every entry of wrt: (*of with rows, *wrt with rows)."""
    assert point.parameters is not None
    values: dict[str, Any] = point.parameters._asdict() | {"inputs": point.inputs}
    values = network(values, "inputs", activation)
    start = wrt if wrt in NODES else "inputs"

    def at(moved: Numbers) -> Numbers:
        return network(values | {wrt: moved}, start, activation)[of]

    base = np.asarray(values[wrt], complex)
    slopes = []
    for index in np.ndindex(base.shape):
        moved = base.copy()
        moved[index] += 1j * STEP
        slopes.append(np.imag(at(moved)) / STEP)
    return np.moveaxis(np.array(slopes), 0, -1).reshape(*np.shape(at(base)), *base.shape)


def of_each_row(whole: Float64s, of: str, wrt: str) -> Float64s:
    """What `jacobian` returns of the whole: a row moves with no other row."""
    if of == "loss" or wrt in Parameters._fields:
        return whole
    return np.array([whole[n, :, n] for n in range(N)])


@pytest.mark.parametrize(("of", "wrt"), PAIRS)
def test_every_jacobian_agrees_with_complex_steps(
    of: str, wrt: str, activation: str, point: Point
) -> None:
    question = Question(of, wrt, "jacobian")

    found = derivative(point, question)
    expected = of_each_row(measured(point, of, wrt, activation), of, wrt)

    assert found.shape == result_shape(question, sizes_of(point)) == expected.shape
    # The complex step is exact to rounding; sums have at most 6 terms of size ten.
    assert np.abs(found - expected).max() <= 1e-13 * np.abs(expected).max()


@pytest.mark.parametrize(("of", "wrt"), PAIRS)
def test_a_vjp_is_the_vector_times_the_matrix(
    of: str, wrt: str, activation: str, point: Point, rng: np.random.Generator
) -> None:
    question = Question(of, wrt, "vjp")
    vector = rng.normal(size=vector_shape(question, sizes_of(point)))

    found = derivative(point, question, vector)
    expected = np.tensordot(vector, measured(point, of, wrt, activation), axes=vector.ndim)

    assert found.shape == result_shape(question, sizes_of(point))
    assert np.abs(found - expected).max() <= 1e-13 * np.abs(expected).max()


@pytest.mark.parametrize(("of", "wrt"), PAIRS)
def test_a_jvp_is_the_matrix_times_the_vector(
    of: str, wrt: str, activation: str, point: Point, rng: np.random.Generator
) -> None:
    question = Question(of, wrt, "jvp")
    vector = rng.normal(size=vector_shape(question, sizes_of(point)))

    found = derivative(point, question, vector)
    expected = np.tensordot(measured(point, of, wrt, activation), vector, axes=vector.ndim)

    assert np.shape(found) == result_shape(question, sizes_of(point))
    assert np.abs(found - expected).max() <= 1e-13 * np.abs(expected).max()


def test_all_pairs_of_the_chain_are_held() -> None:
    """Of 6 nodes 15 pairs; W1 and b1 move 5 nodes each, W2 and b2 move 3."""
    assert len(set(PAIRS)) == 15 + 2 * 5 + 2 * 3


def bare(logits: list[list[float]], labels: list[int] | None = None) -> Point:
    z = np.array(logits)
    chosen = None if labels is None else np.array(labels)
    return point_of_logits(z, chosen)


@pytest.mark.parametrize("lead", [0.0, 40.0, 300.0, 700.0])
def test_bare_logits_give_the_exact_jacobian(lead: float) -> None:
    logits = [lead, 0.0, -1.0]

    found = derivative(bare([logits]), Question())

    np.testing.assert_allclose(found[0], exact_softmax_jacobian(logits), rtol=1e-14)


def test_the_loss_keeps_its_slope_where_the_label_is_certain() -> None:
    found = derivative(bare([[40.0, 0.0]], [0]), Question("loss", "logits"))

    np.testing.assert_allclose(found, [[-4.248354255291589e-18, 4.248354255291589e-18]], rtol=1e-14)


def test_the_loss_keeps_its_slope_where_the_label_is_hopeless() -> None:
    """Its probability underflows; through the probabilities the slope would be 0 times infinity."""
    found = derivative(bare([[2000.0, 0.0]], [1]), Question("loss", "logits"))

    np.testing.assert_array_equal(found, [[1.0, -1.0]])


def test_products_need_memory_linear_in_the_classes() -> None:
    point, v = bare([[0.0] * 32_000]), np.ones((1, 32_000))

    assert derivative(point, Question(mode="vjp"), v).shape == (1, 32_000)
    assert derivative(point, Question(mode="jvp"), v).shape == (1, 32_000)


REFUSED: dict[str, tuple[str, str, str]] = {
    "itself": ("logits", "logits", "both logits"),
    "backwards": ("logits", "probabilities", "does not depend"),
    "a parameter further on": ("a1", "W2", "does not depend"),
    "inputs of anything": ("inputs", "W1", "does not depend"),
    "an unknown node": ("z2", "logits", "`of` to be one of inputs"),
    "an unknown parameter": ("loss", "W3", "`wrt` to be one of inputs"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_derivative_is_refused(case: str, point: Point) -> None:
    of, wrt, words = REFUSED[case]

    with pytest.raises(InvalidInputError, match=words) as caught:
        check_question(Question(of, wrt), sizes_of(point))

    assert caught.value.reason == "no-derivative"


def test_bare_logits_know_nothing_before_them() -> None:
    with pytest.raises(InvalidInputError, match="send inputs instead"):
        check_question(Question("logits", "inputs"), sizes_of(bare([[1.0, 2.0]])))


@pytest.mark.parametrize(("of", "wrt"), PAIRS)
@pytest.mark.parametrize("mode", ["jacobian", "vjp", "jvp"])
def test_the_answer_has_the_dtype_of_the_point(
    of: str, wrt: str, mode: Mode, parameters: Parameters, rng: np.random.Generator
) -> None:
    relu = ACTIVATIONS["relu"]
    single = Parameters(*(array.astype(np.float32) for array in parameters))
    x = rng.normal(size=(N, D)).astype(np.float32)
    point = point_of_network(single, relu, x, forward(single, x, relu), LABELS)
    question = Question(of, wrt, mode)

    found = derivative(point, question, np.ones(vector_shape(question, sizes_of(point))))

    assert found.dtype == np.float32


def test_nothing_is_modified(point: Point) -> None:
    copies = [None if value is None else np.copy(value) for value in point[1:]]

    derivative(point, Question("loss", "W1"))

    for value, copy in zip(point[1:], copies, strict=True):
        if value is not None:
            np.testing.assert_array_equal(value, copy)
