"""Archives that are larger than what is read into memory; here, that is nothing."""

import zipfile
from pathlib import Path
from typing import Any  # Any: arrays of all kinds

import numpy as np
import pytest

from model import DatasetError
from model.data import is_mapped, npz
from model.data.npz import read_npz

X = np.arange(60, dtype=np.float32).reshape(20, 3)


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "LARGE", 0)


def archive(folder: Path, y: Any, x: Any = X) -> Path:
    np.savez(folder / "some.npz", X=x, y=y)
    return folder / "some.npz"


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_features_stay_in_the_file(dtype: type, tmp_path: Path) -> None:
    dataset = read_npz(archive(tmp_path, np.arange(20) % 2, X.astype(dtype)))

    assert is_mapped(dataset.inputs)
    assert dataset.inputs.dtype == dtype
    np.testing.assert_array_equal(dataset.inputs, X)


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (np.arange(20) % 3 - 1, (-1, 0, 1)),
        (np.arange(20) % 2 == 0, (0, 1)),
        (np.arange(20) % 2 / 2, (0.0, 0.5)),
        (np.arange(20) % 2 * 1.0, (0, 1)),
        ((np.arange(20) % 3 + 2**40).astype(np.uint64), (2**40, 2**40 + 1, 2**40 + 2)),
        (np.array(["b", "a"] * 10), ("a", "b")),
    ],
)
def test_labels_are_those_of_an_archive_that_was_read(
    y: Any, classes: tuple[Any, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive(tmp_path, y)
    mapped = read_npz(path)
    monkeypatch.setattr(npz, "LARGE", 2**40)
    read = read_npz(path)

    assert mapped.classes == read.classes == classes
    np.testing.assert_array_equal(mapped.labels, read.labels)
    # Text stays Python's, and so its labels are read as ever.
    assert mapped.labels.dtype == (np.int64 if y.dtype.kind == "U" else np.uint8)


def test_a_label_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    y = np.arange(20) % 2 * 1.0
    y[13] = y[17] = np.nan

    with pytest.raises(DatasetError, match=r"y\[13\]: expected a label, found NaN"):
        read_npz(archive(tmp_path, y))


def test_labels_may_be_those_of_a_model(tmp_path: Path) -> None:
    path = archive(tmp_path, np.full(20, 5))

    np.testing.assert_array_equal(read_npz(path, known=(3, 5)).labels, 1)
    with pytest.raises(DatasetError, match=r"y\[0\]: expected a class the model knows"):
        read_npz(path, known=(3, 4))


def test_a_cell_that_is_not_finite_is_named(tmp_path: Path) -> None:
    x = X.copy()
    x[11, 2] = np.inf

    with pytest.raises(DatasetError, match=r"X\[11, 2\], that is row 11 counted from 0, column 2"):
        read_npz(archive(tmp_path, np.arange(20) % 2, x))


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = archive(tmp_path, np.arange(20) % 2)
    content = bytearray(path.read_bytes())
    content[content.index(X.tobytes()) + 100] ^= 1
    path.write_bytes(content)

    with pytest.raises(DatasetError, match="damaged"):
        read_npz(path)


@pytest.mark.parametrize("x", [np.asfortranarray(X), X.astype(">f4"), X.astype(np.int64)])
def test_what_cannot_be_mapped_is_read(x: np.ndarray, tmp_path: Path) -> None:
    dataset = read_npz(archive(tmp_path, np.arange(20) % 2, x))

    assert not is_mapped(dataset.inputs)
    np.testing.assert_array_equal(dataset.inputs, X)


def test_what_is_compressed_is_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "some.npz", X=X, y=np.arange(20) % 2)

    assert not is_mapped(read_npz(tmp_path / "some.npz").inputs)


def test_a_member_may_lie_anywhere(tmp_path: Path) -> None:
    """The name in front of the array, and what else a writer put there, have any length."""
    made, odd = archive(tmp_path, np.arange(20) % 2), tmp_path / "odd.npz"
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(odd, "w") as target:
        target.writestr("a", "b")
        for name in ("y.npy", "X.npy"):
            with target.open(name, "w", force_zip64=True) as member:
                member.write(source.read(name))

    dataset = read_npz(odd)

    assert is_mapped(dataset.inputs)
    np.testing.assert_array_equal(dataset.inputs, X)
