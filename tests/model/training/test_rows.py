from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model.data import is_mapped
from model.training import preprocessing, stored
from model.training.preprocessing import (
    Preparation,
    fit_standardisation,
    held_out,
    prepare,
    standardise,
)
from model.training.rows import Drawing, Source
from model.training.stored import StoredRows

EACH_ITS_OWN = np.arange(5)


@pytest.fixture
def inputs(rng: np.random.Generator) -> np.ndarray:
    """Every row is told apart by its first number; the third never varies."""
    found = rng.integers(0, 256, size=(1000, 5)).astype(np.uint8)
    found[:, 0], found[:, 1], found[:, 2] = np.arange(1000) % 256, np.arange(1000) // 256, 7
    return found


@pytest.fixture
def on_disk(tmp_path: Path) -> Callable[[np.ndarray], np.ndarray]:
    def written(array: np.ndarray) -> np.ndarray:
        np.save(tmp_path / "rows.npy", array)
        return np.load(tmp_path / "rows.npy", mmap_mode="r")

    return written


def drawn(source: Source, width: int, size: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """One epoch, as (N, width) and (N,)."""
    drawing = Drawing(size, width)
    batches = [
        (batch.inputs.copy(), batch.labels.copy())
        for batch in drawing.batches(source, np.random.default_rng(3))
    ]
    assert all(len(labels) == size for _, labels in batches[:-1])
    x, labels = zip(*batches, strict=True)
    return np.concatenate(x), np.concatenate(labels)


def in_order(rows: np.ndarray) -> np.ndarray:
    return rows[np.lexsort(rows.T[::-1])]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("held", ["few", "many", "on disk"])
@pytest.mark.parametrize("size", [1, 32, 5000])
def test_every_row_is_drawn_once_and_standardised(
    dtype: type, held: str, size: int, inputs: np.ndarray,
    on_disk: Callable[[np.ndarray], np.ndarray], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(stored, "_POOL", 4000)  # so that there are several
    monkeypatch.setattr(stored, "_RUN", 100)
    monkeypatch.setattr(preprocessing, "_FEW", 0 if held == "many" else 10**6)
    inputs, labels = inputs.astype(dtype), np.arange(1000) % 7
    marks = np.arange(1000) % 10 == 0
    scaling = fit_standardisation(inputs, EACH_ITS_OWN, ~marks)
    preparation = prepare(inputs, scaling)
    source: Source = preparation.rows(inputs, labels, ~marks)
    if held == "on disk":
        source = StoredRows(on_disk(inputs), labels, marks, False, preparation)

    x, seen = drawn(source, preparation.width, size)

    expected = standardise(inputs[~marks], scaling)[:, [0, 1, 3, 4]]
    together = np.column_stack([expected, np.ones(900), labels[~marks]])
    # One rounding more, where bytes are scaled in float32.
    np.testing.assert_allclose(
        in_order(np.column_stack([x, seen]).round(5)), in_order(together.round(5)), atol=3e-5
    )


def test_few_bytes_are_scaled_at_once_and_many_when_drawn(
    inputs: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which makes no difference, to the bit."""
    preparation = prepare(inputs, fit_standardisation(inputs, EACH_ITS_OWN))
    everything, labels = np.ones(1000, bool), np.arange(1000)
    few = preparation.rows(inputs, labels, everything)
    monkeypatch.setattr(preprocessing, "_FEW", 0)
    many = preparation.rows(inputs, labels, everything)

    found, expected = (drawn(source, preparation.width, 32)[0] for source in (few, many))

    assert few.inputs.dtype == np.float32
    assert many.inputs.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


def test_rows_of_a_file_are_mixed_from_all_over_it(
    inputs: np.ndarray, on_disk: Callable[[np.ndarray], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file sorted by class would else be learnt one class after the other."""
    monkeypatch.setattr(stored, "_POOL", 2000)
    monkeypatch.setattr(stored, "_RUN", 50)
    labels = np.arange(1000) // 250
    preparation = prepare(inputs, fit_standardisation(inputs, EACH_ITS_OWN))
    source = StoredRows(on_disk(inputs), labels, np.zeros(1000, bool), False, preparation)

    _, seen = drawn(source, preparation.width, size=100)

    for batch in seen.reshape(10, 100):
        assert len(np.unique(batch)) == 4


@pytest.mark.parametrize("mapped", [False, True])
def test_blocks_hold_the_rows_in_their_order(
    mapped: bool, inputs: np.ndarray, on_disk: Callable[[np.ndarray], np.ndarray]
) -> None:
    labels, marks = np.arange(1000) % 7, np.arange(1000) % 3 == 0
    scaling = fit_standardisation(inputs, EACH_ITS_OWN)
    preparation: Preparation = prepare(inputs, scaling)
    source: Source = preparation.rows(inputs, labels, marks)
    if mapped:
        source = StoredRows(on_disk(inputs), labels, marks, True, preparation)

    x = np.concatenate(list(source.blocks()))

    expected = standardise(inputs[marks], scaling)[:, [0, 1, 3, 4]]
    np.testing.assert_allclose(x[:, :-1], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(source.labels, labels[marks])


def test_a_view_of_a_file_is_known_as_such(
    inputs: np.ndarray, on_disk: Callable[[np.ndarray], np.ndarray]
) -> None:
    assert is_mapped(on_disk(inputs)[3:].reshape(-1))
    assert not is_mapped(inputs)
    assert not is_mapped(np.array(on_disk(inputs)))


def test_many_rows_are_held_out_in_the_same_share(rng: np.random.Generator) -> None:
    labels = rng.integers(3, size=600_000).astype(np.uint8)

    marks = held_out(labels, 0.1, rng)

    shares = np.bincount(labels, marks) / np.bincount(labels)
    np.testing.assert_allclose(shares, 0.1, atol=1e-4)
