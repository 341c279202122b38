from pathlib import Path

import pytest

from app.repository.scan import scan


def make(folder: Path, *files: str) -> None:
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_models_are_found_by_name_and_version(tmp_path: Path) -> None:
    make(tmp_path, "a/1/model.npz", "a/10/model.npz", "b.npz")

    found = scan(tmp_path).places

    assert set(found) == {("a", "1"), ("a", "10"), ("b", "1")}
    assert found["a", "10"].file == tmp_path / "a" / "10" / "model.npz"


def test_what_is_no_model_is_passed_over(tmp_path: Path) -> None:
    make(tmp_path, "notes.txt", "a/readme", "a/1/other.npz", "a/2", ".git/1/model.npz", ".x.npz")

    assert scan(tmp_path) == ({}, {}, [])


@pytest.mark.parametrize(
    "file", ["a/latest/model.npz", "a/01/model.npz", "-a/1/model.npz", "ä.npz"]
)
def test_a_model_that_cannot_be_called_is_a_stray(file: str, tmp_path: Path) -> None:
    make(tmp_path, file)

    assert scan(tmp_path) == ({}, {}, [tmp_path / file])


def test_two_files_for_one_version_are_one_place_with_a_twin(tmp_path: Path) -> None:
    make(tmp_path, "a.npz", "a/1/model.npz")

    (place,) = scan(tmp_path).places.values()

    assert {place.file.name, str(place.twin)} in (
        {"model.npz", "a.npz"},
        {"a.npz", "a/1/model.npz"},
    )


def test_a_link_to_nothing_is_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a" / "1").mkdir(parents=True)
    (tmp_path / "a" / "1" / "model.npz").symlink_to("absent")

    assert set(scan(tmp_path).places) == {("a", "1")}


def test_a_config_map_is_listed_once(tmp_path: Path) -> None:
    make(tmp_path, "..2031/digits/1/model.npz")
    (tmp_path / "..data").symlink_to("..2031")
    (tmp_path / "digits").symlink_to("..data/digits")

    assert set(scan(tmp_path).places) == {("digits", "1")}


def test_a_folder_that_is_not_there_is_the_systems_own_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        scan(tmp_path / "absent")
