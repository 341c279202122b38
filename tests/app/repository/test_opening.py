from pathlib import Path

import pytest

from app.errors import UnknownModelError
from app.repository import load_repository
from model import ArtifactError
from tests.app.repository.folders import put


def test_a_single_file_is_a_repository_of_one(tmp_path: Path) -> None:
    put(tmp_path / "m.npz", name="digits")

    repository = load_repository(tmp_path / "m.npz")

    assert [(served.name, served.version) for served in repository.all()] == [("digits", "1")]
    assert repository.default is repository.find("digits", "1")


def test_a_name_that_will_not_do_in_a_url_gives_way_to_the_file(tmp_path: Path) -> None:
    put(tmp_path / "m.npz", name="../etc/passwd")

    assert load_repository(tmp_path / "m.npz").default.name == "m"


def test_the_highest_version_is_the_default(tmp_path: Path) -> None:
    for version in ("2", "10", "9"):
        put(tmp_path / "digits" / version / "model.npz")

    repository = load_repository(tmp_path)

    assert repository.find("digits").version == "10"
    assert [served.version for served in repository.versions("digits")] == ["2", "9", "10"]
    assert repository.find("digits", "2").version == "2"


def test_files_and_folders_may_stand_side_by_side(tmp_path: Path) -> None:
    put(tmp_path / "iris.npz")
    put(tmp_path / "digits" / "3" / "model.npz")

    repository = load_repository(tmp_path)

    found = [(served.name, served.version) for served in repository.all()]
    assert found == [("digits", "3"), ("iris", "1")]
    assert repository.default.name == "digits"


@pytest.mark.parametrize("name", ["0", "-1", "1.5", "v1", "01", " 1"])
def test_a_version_is_a_positive_integer(name: str, tmp_path: Path) -> None:
    put(tmp_path / "digits" / name / "model.npz")

    with pytest.raises(ArtifactError, match=r"expected NAME/VERSION/model\.npz"):
        load_repository(tmp_path)


def test_one_bad_file_among_good_ones_is_named_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "good.npz")
    (tmp_path / "bad.npz").write_bytes(b"no")

    repository = load_repository(tmp_path)

    assert [served.name for served in repository.all()] == ["good"]
    assert "bad.npz is not served: not a model" in caplog.text


def test_a_folder_of_bad_files_only_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"no")

    with pytest.raises(ArtifactError, match=r"bad\.npz: not a model"):
        load_repository(tmp_path)


@pytest.mark.parametrize("name", ["", "..", "../digits", "DIGITS", "digits/1", "\x00", "%64"])
def test_other_names_are_unknown(name: str, tmp_path: Path) -> None:
    put(tmp_path / "digits.npz")

    with pytest.raises(UnknownModelError):
        load_repository(tmp_path).find(name)


@pytest.mark.parametrize("version", ["0", "2", "01", "-1", "1.0", "9" * 30, ""])
def test_other_versions_are_unknown(version: str, tmp_path: Path) -> None:
    put(tmp_path / "digits.npz")

    with pytest.raises(UnknownModelError):
        load_repository(tmp_path).find("digits", version)


def test_two_files_for_one_version_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "digits.npz")
    put(tmp_path / "digits" / "1" / "model.npz")

    with pytest.raises(ArtifactError, match="both version 1 of digits"):
        load_repository(tmp_path)


def test_what_is_passed_over_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path / "good.npz")
    put(tmp_path / "digits" / "latest" / "model.npz")

    load_repository(tmp_path)

    assert "latest/model.npz is not served" in caplog.text
