import os
import time
from pathlib import Path

import pytest

from app.repository.scan import Place
from app.repository.versions import Version, loaded, look
from model import ArtifactError
from tests.app.repository.folders import put


@pytest.fixture
def version(tmp_path: Path) -> Version:
    return Version(Place("a", "1", put(tmp_path / "a.npz")))


def aged(version: Version) -> Version:
    """Seen in a state that nobody has touched for long. The time of a change cannot be set back."""
    seen = look(version)
    return version._replace(seen=seen._replace(settled=True))


def test_a_file_that_nobody_touched_is_not_read_again(version: Version) -> None:
    old = aged(version)

    assert look(old) is old.seen


def test_a_young_file_is_read_again_though_its_stamp_is_the_same(version: Version) -> None:
    """A second write within one tick of the clock leaves the stamp as it is."""
    seen = look(version)._replace(digest=b"of what was there before")

    assert not seen.settled
    assert look(version._replace(seen=seen)).digest == look(version).digest


def test_a_change_of_the_time_alone_is_no_change_of_the_content(version: Version) -> None:
    old = aged(version)
    os.utime(version.place.file, (0, 0))

    seen = look(old)

    assert old.seen
    assert seen.stamp != old.seen.stamp
    assert seen.digest == old.seen.digest


def test_a_change_of_one_byte_is_seen(version: Version) -> None:
    old = aged(version)
    data = bytearray(version.place.file.read_bytes())
    data[300] ^= 1
    version.place.file.write_bytes(data)

    assert old.seen
    assert look(old).digest != old.seen.digest


def test_a_file_dated_in_the_future_is_no_trouble(version: Version) -> None:
    os.utime(version.place.file, (time.time() + 9999,) * 2)

    found = loaded(version, look(version))

    assert found.classifier is not None


def test_one_of_two_files_for_a_version_is_not_chosen(version: Version) -> None:
    place = version.place._replace(twin=Path("a/1/model.npz"))

    with pytest.raises(ArtifactError, match="both version 1 of a"):
        look(Version(place))


@pytest.mark.parametrize(("loading", "state"), [(True, "LOADING"), (False, "UNAVAILABLE")])
def test_a_version_without_a_classifier_is_loading_or_unavailable(
    loading: bool, state: str, version: Version
) -> None:
    assert version.entry(loading=loading) == ("a", "1", state, "")


def test_a_reason_has_no_path(version: Version, tmp_path: Path) -> None:
    version.place.file.write_bytes(b"no")

    entry = loaded(version, look(version)).entry(loading=False)

    assert entry.reason == "not a model saved by softlens: expected an .npz archive"
    assert str(tmp_path) not in entry.reason
