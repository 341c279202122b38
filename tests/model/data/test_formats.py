import gzip
from pathlib import Path

import numpy as np
import pytest

from model.data import read_dataset, read_features
from model.errors import DatasetError

IMAGES = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4])
LABELS = bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 6])
TABLE = b"a,b,y\n1,2,5\n3,4,6\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same two rows in every format."""
    (tmp_path / "images.gz").write_bytes(gzip.compress(IMAGES))
    (tmp_path / "labels").write_bytes(LABELS)
    (tmp_path / "t.csv").write_bytes(TABLE)
    (tmp_path / "t.CSV.gz").write_bytes(gzip.compress(TABLE))
    (tmp_path / "comma,name.csv").write_bytes(TABLE)
    np.savez(tmp_path / "t.npz", X=[[1, 2], [3, 4]], y=[5, 6])
    (tmp_path / "t.txt").write_bytes(TABLE)
    (tmp_path / "odd,name").write_bytes(TABLE)
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "{0}/t.csv",
        "{0}/t.CSV.gz",
        "{0}/comma,name.csv",
        "{0}/t.npz",
        "{0}/images.gz,{0}/labels",
    ],
)
def test_every_format_gives_the_same_dataset(folder: Path, text: str) -> None:
    data = read_dataset(text.format(folder))

    assert data.inputs.tolist() == [[1, 2], [3, 4]]
    assert data.labels.tolist() == [0, 1]
    assert data.classes == (5, 6)
    assert str(folder) not in data.source


@pytest.mark.parametrize(
    "text",
    ["{0}/t.csv", "{0}/t.npz", "{0}/images.gz,{0}/labels", "{0}/images.gz,{0}/no", "{0}/images.gz"],
)
def test_features_are_read_from_every_format_without_labels(folder: Path, text: str) -> None:
    inputs = read_features(text.format(folder), None, 2).inputs

    assert inputs.tolist() == [[1, 2], [3, 4]]


def test_the_target_reaches_the_table(folder: Path) -> None:
    data = read_dataset(f"{folder}/t.csv", "a")

    assert (data.features, data.classes) == (("b", "y"), (1, 3))


@pytest.mark.parametrize("text", ["{0}/t.npz", "{0}/images.gz,{0}/labels"])
def test_a_target_is_refused_where_columns_have_no_names(folder: Path, text: str) -> None:
    with pytest.raises(DatasetError, match="target column 'y'"):
        read_dataset(text.format(folder), "y")


@pytest.mark.parametrize("text", ["{0}/t.txt", "{0}/odd,name", "{0}/images.gz"])
def test_an_unknown_format_is_answered_with_the_known_ones(folder: Path, text: str) -> None:
    with pytest.raises(DatasetError, match=r"\.csv or \.csv\.gz .* \.npz .* images,labels"):
        read_dataset(text.format(folder))


def test_an_unknown_format_of_features_is_answered_alike(folder: Path) -> None:
    with pytest.raises(DatasetError, match=r"t\.txt: .*images,labels"):
        read_features(f"{folder}/t.txt", None, 2)


@pytest.mark.parametrize("text", ["{0}/t.npz", "{0}/images.gz"])
def test_another_width_than_the_models_is_refused(folder: Path, text: str) -> None:
    with pytest.raises(DatasetError, match=r"expected 3 features in each row.* found 2"):
        read_features(text.format(folder), None, 3)


@pytest.mark.parametrize(
    "text", ["no.csv", "no.csv.gz", "no.npz", "no,{0}/labels", "{0}/images.gz,no", "no", "a,b,c"]
)
def test_a_missing_file_is_no_fault_of_the_data(folder: Path, text: str) -> None:
    with pytest.raises(FileNotFoundError):
        read_dataset(text.format(folder))


@pytest.mark.parametrize("name", ["d.csv", "d.npz", "d"])
def test_a_folder_is_no_fault_of_the_data(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()

    with pytest.raises(IsADirectoryError):
        read_dataset(str(tmp_path / name))
    with pytest.raises(IsADirectoryError):
        read_features(str(tmp_path / name), None, 2)
