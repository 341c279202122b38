import errno
import os
import shutil
from pathlib import Path

import pytest

from app.errors import LoadError, UnknownModelError
from app.repository import Repository, load_repository
from app.repository.scan import Listing, scan
from tests.app.repository.folders import BAD, put

GOOD, OTHER = 1, 2  # seeds


def served(repository: Repository) -> list[str]:
    return [f"{one.name} {one.version}" for one in repository.all()]


def hash_of(repository: Repository, name: str) -> str:
    return str(repository.find(name).classifier.metadata["sha256"])


def looks(repository: Repository, times: int) -> None:
    for _ in range(times):
        repository.reload()


def test_a_new_version_answers_and_the_old_one_stays(tmp_path: Path) -> None:
    put(tmp_path / "a" / "1" / "model.npz")
    repository = load_repository(tmp_path)

    put(tmp_path / "a" / "2" / "model.npz", OTHER)
    repository.reload()

    assert served(repository) == ["a 1", "a 2"]
    assert repository.find("a").version == "2"


def test_what_a_request_took_is_not_changed_by_a_swap(tmp_path: Path) -> None:
    put(tmp_path / "a" / "1" / "model.npz")
    repository = load_repository(tmp_path)
    taken = repository.snapshot

    put(tmp_path / "a" / "2" / "model.npz")
    repository.reload()

    assert taken.find("a").version == "1"
    assert [entry.version for entry in taken.index()] == ["1"]
    assert repository.snapshot is not taken


def test_a_look_that_finds_nothing_new_exchanges_nothing(tmp_path: Path) -> None:
    put(tmp_path / "a" / "1" / "model.npz")
    repository = load_repository(tmp_path)
    default = repository.default

    looks(repository, 3)

    assert repository.default.classifier is default.classifier


def test_a_replaced_file_is_served(tmp_path: Path) -> None:
    put(tmp_path / "a.npz", GOOD)
    repository = load_repository(tmp_path)
    old = hash_of(repository, "a")

    put(tmp_path / "a.npz", OTHER)
    repository.reload()

    assert hash_of(repository, "a") != old
    assert repository.index() == [("a", "1", "READY", "")]


def test_the_same_bytes_again_are_no_new_model(tmp_path: Path) -> None:
    file = put(tmp_path / "a.npz")
    repository = load_repository(tmp_path)
    old = repository.default.classifier

    file.unlink()
    put(file)
    repository.reload()

    assert repository.default.classifier is old


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_file_leaves_the_old_one_serving_and_is_reported_once(
    bad: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make, reason = BAD[bad]
    file = put(tmp_path / "a.npz")
    repository = load_repository(tmp_path)
    old = repository.default.classifier

    file.write_bytes(make(file.read_bytes()))
    looks(repository, 3)

    assert repository.default.classifier is old
    (entry,) = repository.index()
    assert entry.state == "READY"
    assert reason in entry.reason
    assert caplog.text.count("a.npz is not served") == 1
    assert reason in caplog.text


def test_a_bad_file_is_tried_again_when_it_changes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = put(tmp_path / "a.npz", GOOD)
    repository = load_repository(tmp_path)
    old = hash_of(repository, "a")
    other = put(tmp_path / "new", OTHER).read_bytes()

    for length in (100, 200, len(other)):
        file.write_bytes(other[:length])
        looks(repository, 2)

    assert caplog.text.count("a.npz is not served") == 2
    assert hash_of(repository, "a") != old
    assert repository.index()[0].reason == ""


def test_a_file_that_comes_back_as_it_was_is_well_again(tmp_path: Path) -> None:
    file = put(tmp_path / "a.npz")
    good = file.read_bytes()
    repository = load_repository(tmp_path)

    for content in (b"no", good):
        file.write_bytes(content)
        repository.reload()

    assert repository.index() == [("a", "1", "READY", "")]


def test_a_removed_version_goes_when_it_is_missed_twice(tmp_path: Path) -> None:
    for version in "12":
        put(tmp_path / "a" / version / "model.npz")
    repository = load_repository(tmp_path)

    shutil.rmtree(tmp_path / "a" / "2")

    assert repository.reload()
    assert served(repository) == ["a 1", "a 2"]
    assert not repository.reload()
    assert served(repository) == ["a 1"]


def test_a_file_that_is_missed_once_was_only_being_replaced(tmp_path: Path) -> None:
    put(tmp_path / "a.npz")
    put(tmp_path / "b.npz")
    repository = load_repository(tmp_path)

    (tmp_path / "a.npz").unlink()
    repository.reload()
    put(tmp_path / "a.npz")
    looks(repository, 2)

    assert repository.index() == [("a", "1", "READY", ""), ("b", "1", "READY", "")]


def test_a_removed_model_goes_and_the_next_name_is_the_default(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "a" / "1" / "model.npz")
    put(tmp_path / "b.npz")
    repository = load_repository(tmp_path)

    shutil.rmtree(tmp_path / "a")
    looks(repository, 2)

    assert served(repository) == ["b 1"]
    assert repository.index() == [("b", "1", "READY", "")]
    assert "the default model, of /predict, is b now" in caplog.text


def test_the_last_version_that_can_serve_stays_until_another_can(tmp_path: Path) -> None:
    put(tmp_path / "a" / "2" / "model.npz")
    repository = load_repository(tmp_path)

    shutil.rmtree(tmp_path / "a" / "2")
    bad = put(tmp_path / "a" / "1" / "model.npz")
    good = bad.read_bytes()
    bad.write_bytes(b"no")
    looks(repository, 3)
    assert served(repository) == ["a 2"]

    bad.write_bytes(good)
    looks(repository, 1)
    assert served(repository) == ["a 1"]


@pytest.mark.parametrize("emptied", [True, False])
def test_a_folder_that_is_gone_or_empty_keeps_everything(
    emptied: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "models"
    put(folder / "a.npz")
    repository = load_repository(folder)

    shutil.rmtree(folder)
    if emptied:
        folder.mkdir()
    looks(repository, 4)

    assert served(repository) == ["a 1"]
    assert len(caplog.records) == 1
    assert "keep" in caplog.text


def test_a_model_whose_folder_cannot_be_read_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "a" / "1" / "model.npz")
    put(tmp_path / "b.npz")
    disk = [scan(tmp_path)]
    repository = Repository(lambda: disk[-1], "all")
    repository.start()

    broken = OSError(errno.EIO, os.strerror(errno.EIO), str(tmp_path / "a"))
    places = {key: place for key, place in disk[0].places.items() if key[0] == "b"}
    disk.append(Listing(places, {"a": broken}, []))
    looks(repository, 4)

    assert served(repository) == ["a 1", "b 1"]
    assert caplog.text.count("Input/output error") == 1


def test_two_files_for_one_version_keep_the_one_that_was_loaded(tmp_path: Path) -> None:
    put(tmp_path / "a.npz")
    repository = load_repository(tmp_path)
    old = repository.default.classifier

    put(tmp_path / "a" / "1" / "model.npz", OTHER)
    looks(repository, 2)

    assert repository.default.classifier is old
    assert "both version 1 of a" in repository.index()[0].reason


def test_the_policy_latest_keeps_one_version_of_each_name(tmp_path: Path) -> None:
    for version in ("9", "10"):
        put(tmp_path / "a" / version / "model.npz")
    put(tmp_path / "b.npz")
    repository = load_repository(tmp_path, "latest")
    assert served(repository) == ["a 10", "b 1"]

    put(tmp_path / "a" / "11" / "model.npz")
    repository.reload()

    assert served(repository) == ["a 11", "b 1"]
    assert ("a", "10", "UNAVAILABLE", "version 11 is newer") in repository.index()
    with pytest.raises(UnknownModelError, match="version 11 is newer"):
        repository.find("a", "10")


def test_the_policy_latest_falls_back_to_what_is_sound(tmp_path: Path) -> None:
    put(tmp_path / "a" / "1" / "model.npz")
    (tmp_path / "a" / "2").mkdir()
    (tmp_path / "a" / "2" / "model.npz").write_bytes(b"no")

    repository = load_repository(tmp_path, "latest")
    assert served(repository) == ["a 1"]

    put(tmp_path / "a" / "2" / "model.npz")
    repository.reload()
    assert served(repository) == ["a 2"]

    shutil.rmtree(tmp_path / "a" / "2")
    looks(repository, 2)
    assert served(repository) == ["a 1"]


def test_an_unloaded_model_stays_unloaded_until_it_is_loaded(tmp_path: Path) -> None:
    put(tmp_path / "a" / "1" / "model.npz")
    put(tmp_path / "b.npz")
    repository = load_repository(tmp_path)

    repository.unload("a")
    put(tmp_path / "a" / "2" / "model.npz")
    looks(repository, 3)

    assert served(repository) == ["b 1"]
    assert repository.index()[0] == ("a", "1", "UNAVAILABLE", "unloaded on request")
    with pytest.raises(UnknownModelError, match="unloaded on request"):
        repository.find("a")

    repository.load("a")
    assert served(repository) == ["a 1", "a 2", "b 1"]


def test_everything_may_be_unloaded(tmp_path: Path) -> None:
    repository = load_repository(put(tmp_path / "a.npz", name="a"))

    repository.unload("a")
    repository.unload("a")

    assert repository.all() == []
    with pytest.raises(UnknownModelError, match="no model is loaded"):
        _ = repository.default


def test_a_load_that_fails_says_why_and_the_old_one_serves(tmp_path: Path) -> None:
    file = put(tmp_path / "a.npz")
    repository = load_repository(tmp_path)
    file.write_bytes(b"no")

    for _ in range(2):
        with pytest.raises(LoadError, match="a version 1: not a model saved by softlens") as caught:
            repository.load("a")

    assert str(tmp_path) not in str(caught.value)
    assert served(repository) == ["a 1"]


def test_a_model_that_is_new_on_disk_may_be_loaded_at_once(tmp_path: Path) -> None:
    put(tmp_path / "a.npz")
    repository = load_repository(tmp_path)

    put(tmp_path / "b.npz")
    repository.load("b")

    assert served(repository) == ["a 1", "b 1"]


def test_a_model_that_is_gone_from_disk_cannot_be_loaded(tmp_path: Path) -> None:
    put(tmp_path / "a.npz")
    file = put(tmp_path / "b.npz")
    repository = load_repository(tmp_path)

    file.unlink()

    with pytest.raises(LoadError, match="gone"):
        repository.load("b")
    assert served(repository) == ["a 1", "b 1"]


def test_an_unknown_name_can_be_neither_loaded_nor_unloaded(tmp_path: Path) -> None:
    put(tmp_path / "a.npz")
    repository = load_repository(tmp_path)

    for act in (repository.load, repository.unload):
        with pytest.raises(UnknownModelError):
            act("b")


def test_a_single_file_is_replaced_under_the_name_it_had(tmp_path: Path) -> None:
    file = put(tmp_path / "m.npz", GOOD, name="digits")
    repository = load_repository(file)
    old = hash_of(repository, "digits")

    put(file, OTHER, name="digits-of-may")
    repository.reload()

    assert served(repository) == ["digits 1"]
    assert hash_of(repository, "digits") != old


@pytest.mark.parametrize("content", [None, b"no"])
def test_a_single_file_that_is_gone_or_bad_keeps_serving(
    content: bytes | None, tmp_path: Path
) -> None:
    file = put(tmp_path / "m.npz")
    repository = load_repository(file)

    file.unlink()
    if content:
        file.write_bytes(content)
    looks(repository, 3)

    assert served(repository) == ["fixture 1"]
    assert "answers" in repository.index()[0].reason


def test_a_config_map_is_exchanged_by_flipping_its_link(tmp_path: Path) -> None:
    put(tmp_path / "..1" / "digits.npz", GOOD)
    put(tmp_path / "..2" / "digits.npz", OTHER)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "digits.npz").symlink_to("..data/digits.npz")
    repository = load_repository(tmp_path)
    old = hash_of(repository, "digits")

    (tmp_path / "..data_tmp").symlink_to("..2")
    (tmp_path / "..data_tmp").replace(tmp_path / "..data")
    repository.reload()

    assert served(repository) == ["digits 1"]
    assert hash_of(repository, "digits") != old


def test_a_folder_behind_a_link_is_exchanged_by_flipping_it(tmp_path: Path) -> None:
    put(tmp_path / "one" / "a.npz", GOOD)
    put(tmp_path / "two" / "a.npz", OTHER)
    (tmp_path / "models").symlink_to("one")
    repository = load_repository(tmp_path / "models")
    old = hash_of(repository, "a")

    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").replace(tmp_path / "models")
    repository.reload()

    assert hash_of(repository, "a") != old
