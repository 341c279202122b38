"""The compiled update against NumPy's, which is the reference."""

import sys
from collections.abc import Iterator

import numpy as np
import pytest

from model.arrays import Float32s
from model.training import compiled
from model.training.optimizers import Adam

SIZE, STEPS = 70_001, 5  # more than two pieces of NumPy's, and a rest


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    compiled.compiled_adam.cache_clear()
    yield
    compiled.compiled_adam.cache_clear()


def same_bits(one: Float32s, other: Float32s) -> bool:
    return np.array_equal(one.view(np.int32), other.view(np.int32))


def gradients(rng: np.random.Generator) -> Float32s:
    """(STEPS, SIZE) of magnitudes from where squares are 0 to where they are infinite; and 0."""
    magnitudes = 10.0 ** rng.integers(-30, 25, (STEPS, SIZE))
    drawn = rng.normal(size=(STEPS, SIZE)) * magnitudes
    drawn[:, ::7] = 0
    return drawn.astype(np.float32)


@np.errstate(over="ignore", invalid="ignore", under="ignore")
def moved(adam: Adam, start: Float32s, drawn: Float32s) -> Float32s:
    parameters = start.copy()
    for number, gradient in enumerate(drawn):
        adam.step(parameters, gradient, 2e-3 / (number + 1))
    return parameters


def compiling(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everything that is made from now on compiled after so many entries."""
    pytest.importorskip("numba", reason="numba, of the extra `fast`, is not installed")
    monkeypatch.setattr(compiled, "_WORTH_COMPILING", after)


@pytest.mark.parametrize("steps", [1, 3])
def test_adam_goes_on_with_the_same_bits(
    steps: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, drawn = rng.normal(size=SIZE).astype(np.float32), gradients(rng)
    reference = Adam(SIZE)
    expected = moved(reference, start, drawn)
    compiling(steps * SIZE, monkeypatch)
    adam = Adam(SIZE)

    found = moved(adam, start, drawn)

    assert adam.compiled.found is not None
    assert reference.compiled.found is None
    assert not same_bits(expected, start)
    assert same_bits(found, expected)
    assert same_bits(adam.mean, reference.mean)
    assert same_bits(adam.square, reference.square)


def test_without_numba_it_goes_on_as_it_is(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, drawn = rng.normal(size=SIZE).astype(np.float32), gradients(rng)
    expected = moved(Adam(SIZE), start, drawn)
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setattr(compiled, "_WORTH_COMPILING", SIZE)
    adam = Adam(SIZE)

    found = moved(adam, start, drawn)

    assert adam.compiled.left <= 0
    assert adam.compiled.found is None
    assert same_bits(found, expected)


def test_a_short_run_does_not_load_it() -> None:
    """Half a second for an import and a compilation is longer than a whole fit of the digits."""
    adam = Adam(64 * 32 + 32 + 32 * 10 + 10)
    vector = np.zeros(adam.mean.shape, np.float32)

    for _ in range(40 * 50):  # epochs of as many batches
        adam.step(vector, vector, 1e-3)

    assert adam.compiled.found is None
    assert adam.compiled.left > 0
