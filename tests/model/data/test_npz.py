import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model.data.npz import read_npz, read_npz_features
from model.errors import DatasetError

X = np.array([[1.0, 2.5], [3.0, 4.0], [5.0, 6.0]])
Y = np.array([4, 2, 4])


# Any: arrays of every type are tried.
def write(folder: Path, **arrays: NDArray[Any]) -> Path:
    np.savez(folder / "some.npz", allow_pickle=True, **arrays)
    return folder / "some.npz"


def assert_explained(error: pytest.ExceptionInfo[DatasetError], words: list[str]) -> None:
    message = str(error.value)
    assert [word for word in ["some.npz", *words] if word not in message] == []
    assert "\n" not in message


def test_features_and_labels_are_read(tmp_path: Path) -> None:
    data = read_npz(write(tmp_path, X=X, y=Y))

    np.testing.assert_array_equal(data.inputs, X)
    assert (data.labels.tolist(), data.classes) == ([1, 0, 1], (2, 4))
    assert data.kinds.tolist() == [0, 1]
    assert (data.features, data.source) == (None, "some.npz")


@pytest.mark.parametrize(
    ("dtype", "kept"),
    [
        ("uint8", "uint8"),
        ("bool", "uint8"),
        ("int8", "float64"),
        ("int64", "float64"),
        ("float16", "float64"),
        (">f8", "float64"),
        ("longdouble", "float64"),
    ],
)
def test_bytes_stay_bytes_and_other_numbers_become_float64(
    tmp_path: Path, dtype: str, kept: str
) -> None:
    ones = np.ones((2, 3), dtype=dtype)

    inputs = read_npz_features(write(tmp_path, X=ones)).inputs

    assert inputs.dtype == np.dtype(kept)
    assert inputs.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_images_are_flattened(tmp_path: Path) -> None:
    images = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)

    inputs = read_npz_features(write(tmp_path, X=np.asfortranarray(images))).inputs

    assert inputs.tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (np.array(["b", "a"]), ("a", "b")),
        (np.array([b"b", b"a"]), ("a", "b")),
        (np.array(["b", "a"], dtype=">U3"), ("a", "b")),
        (np.array([True, False]), (0, 1)),
        (np.array([1.0, 0.0], dtype=np.float32), (0, 1)),
        (np.array([1.5, 0.0]), (0.0, 1.5)),
    ],
)
def test_labels_may_be_numbers_or_text(
    # Any: arrays of every type are tried.
    tmp_path: Path,
    y: NDArray[Any],
    classes: tuple[object, ...],
) -> None:
    data = read_npz(write(tmp_path, X=X[:2], y=y))

    assert data.classes == classes
    assert [type(c) for c in data.classes] == [type(c) for c in classes]
    assert data.labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"images": X, "y": Y}, ["X and y", "'images', 'y'", "no X"]),
        ({"X": X}, ["X and y", "found 'X'", "no y"]),
        ({"X": X.astype(object), "y": Y}, ["X", "Python objects", "convert X"]),
        ({"X": X, "y": Y.astype(object)}, ["y", "Python objects", "convert y"]),
        ({"X": X.astype(str), "y": Y}, ["X", "real numbers", "<U"]),
        ({"X": X.astype(complex), "y": Y}, ["X", "real numbers", "complex128"]),
        ({"X": X[:, 0], "y": Y}, ["X", "(N, D)", "(3,)"]),
        ({"X": X[:, :0], "y": Y}, ["X", "(N, D)", "(3, 0)"]),
        ({"X": X[:0], "y": Y[:0]}, ["X", "(N, D)", "(0, 2)"]),
        ({"X": np.where(X == 4, np.nan, X), "y": Y}, ["X[1, 1]", "row 1", "column 1", "nan"]),
        ({"X": np.where(X == 5, -np.inf, X), "y": Y}, ["X[2, 0]", "row 2", "column 0", "-inf"]),
        ({"X": np.full((3, 1, 2), np.nan), "y": Y}, ["X[0, 0, 0]", "row 0", "column (0, 0)"]),
        ({"X": X, "y": Y[:2]}, ["y", "expected shape (3,)", "(2,)"]),
        ({"X": X, "y": np.eye(3)}, ["y", "expected shape (3,)", "(3, 3)", "argmax"]),
        ({"X": X, "y": Y.astype("datetime64[s]")}, ["y", "integers", "datetime64"]),
        ({"X": X, "y": np.array([0, np.nan, 1])}, ["y[1]", "label", "NaN"]),
        ({"X": X, "y": np.array(["a", "b", ""])}, ["y[2]", "label", "nothing"]),
        ({"X": X, "y": np.array([b"a", b"\xe9", b"c"])}, ["y[1]", "label", "UTF-8"]),
        ({"X": X, "y": np.zeros(3)}, ["2 classes", "only 0", "3 rows"]),
        ({"X": X[:1], "y": Y[:1]}, ["2 rows", "found 1"]),
    ],
)
def test_arrays_unfit_to_train_on_are_explained(
    # Any: arrays of every type are tried.
    tmp_path: Path,
    arrays: dict[str, NDArray[Any]],
    words: list[str],
) -> None:
    path = write(tmp_path, **arrays)

    with pytest.raises(DatasetError) as error:
        read_npz(path)

    assert_explained(error, words)


def damaged_archives() -> list[bytes]:
    """Every kind of damage: cut, flipped, and other things altogether."""
    file = io.BytesIO()
    np.savez_compressed(file, X=X, y=Y)
    whole = file.getvalue()
    cuts = [whole[:length] for length in range(0, len(whole), 13)]
    flips = [whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :] for at in (30, 60, 80, 120)]
    return [*cuts, *flips, b"not an archive", b"\x80\x04N."]


@pytest.mark.parametrize("content", damaged_archives())
def test_a_damaged_archive_is_a_fault_of_the_data(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.npz"
    path.write_bytes(content)

    with pytest.raises(DatasetError) as error:
        read_npz(path)

    assert_explained(error, [])


def test_a_single_array_is_no_archive(tmp_path: Path) -> None:
    with (tmp_path / "some.npz").open("wb") as file:
        np.save(file, X)

    with pytest.raises(DatasetError) as error:
        read_npz(tmp_path / "some.npz")

    assert_explained(error, ["NumPy archive", "another kind"])


def with_member(path: Path, name: str, content: bytes) -> Path:
    """An archive of X and y of which one member is replaced."""
    arrays = {"X.npy": X, "y.npy": Y}
    with zipfile.ZipFile(path, "w") as archive:
        for member, array in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, array)
            if not member.startswith(name[0]):
                archive.writestr(member, buffer.getvalue())
        archive.writestr(name, content)
    return path


def npy(descr: str, shape: str, content: bytes = b"") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + content


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("X", b"1,2\n", ["X", "array", "no .npy file"]),
        ("y", b"", ["y", "array", "no .npy file"]),
        ("y.npy", npy("<U1", "(3,)", b"\xff\xff\xff\x00" * 3), ["y", "Unicode"]),
        ("y.npy", npy(">U1", "(3,)", b"\x00\x11\x00\x00" * 3), ["y", "Unicode"]),
        ("y.npy", npy("<U0", "(3,)"), ["y[0]", "found nothing"]),
        ("X.npy", npy("<f8", f"({2**46}, 2)"), ["fit the memory", "allocate"]),
        ("X.npy", npy("<f8", f"({2**62}, {2**62})"), ["damaged"]),
        ("X.npy", npy("<f8", "(-3, 2)"), ["damaged"]),
        ("X.npy", npy("<f8", "(3, 2)", b"12345678"), ["damaged"]),
        ("y.npy", npy(f"<U{2**29}", "(3,)"), ["NumPy archive"]),
        ("y.npy", npy("|V0", "(3,)"), ["y"]),
    ],
)
def test_a_hostile_member_is_a_fault_of_the_data(
    tmp_path: Path, name: str, content: bytes, words: list[str]
) -> None:
    path = with_member(tmp_path / "some.npz", name, content)

    with pytest.raises(DatasetError) as error:
        read_npz(path)

    assert_explained(error, words)
