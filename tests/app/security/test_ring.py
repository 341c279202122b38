"""Keys that change while they are in use, and how they are compared."""

import logging
import os
from pathlib import Path

import pytest

from app.failures import StartError
from app.security import ring
from app.security.keys import digest_of, read_keys
from app.security.ring import KeyRing, key_ring

OLD, NEW, FIXED = "old-key-of-20-letters", "new-key-of-20-letters", "fixed-key-of-20-letters"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the file with every key."""
    monkeypatch.setattr(ring, "_LOOK_AGAIN", 0.0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(f"one:predict:{OLD}")
    return path


def knows(keys: KeyRing, key: str) -> bool:
    return keys.find(key.encode()) is not None


def test_a_key_is_found_with_its_scopes() -> None:
    keys = KeyRing(f"a:predict+debug:{OLD},b:admin:{NEW}", None)

    found = keys.find(NEW.encode())

    assert found
    assert found.name == "b"
    assert found.scopes == {"admin"}
    assert [key.name for key in keys.all()] == ["a", "b"]


@pytest.mark.parametrize("sent", [b"", b"x", OLD.encode()[:-1], OLD.encode() + b" ", b"\xff" * 999])
def test_nothing_but_the_key_is_found(sent: bytes) -> None:
    assert KeyRing(f"a:predict:{OLD}", None).find(sent) is None


def test_the_digest_is_not_a_key() -> None:
    keys = KeyRing(f"a:predict:{OLD}", None)

    assert keys.find(digest_of(OLD.encode())) is None
    assert keys.find(digest_of(OLD.encode()).hex().encode()) is None


class Watched(bytes):
    """Bytes that notice a comparison that stops at the first difference."""

    noticed = False

    def __eq__(self, other: object) -> bool:
        Watched.noticed = True
        return super().__eq__(other)

    __hash__ = bytes.__hash__


def watched_ring() -> KeyRing:
    keys = KeyRing(f"a:predict:{OLD}", None)
    known = [key._replace(digest=Watched(key.digest)) for key in keys.all()]
    keys._take(known)
    Watched.noticed = False
    return keys


def test_digests_are_never_compared_with_an_early_end() -> None:
    keys = watched_ring()

    assert knows(keys, OLD)
    assert not knows(keys, NEW)
    assert not Watched.noticed


def test_a_plain_comparison_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what the test above holds is not held by chance."""
    monkeypatch.setattr(ring, "compare_digest", lambda known, sent: known == sent)
    keys = watched_ring()

    assert knows(keys, OLD)
    assert Watched.noticed


def test_a_file_that_changes_is_read_again(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    keys = KeyRing("", file)
    before = file.stat()

    file.write_text(f"one:predict:{NEW}")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # as two writes within one tick

    assert knows(keys, NEW)
    assert not knows(keys, OLD)
    assert caplog.messages == ["keys were read anew: 1"]


def test_a_file_is_not_read_for_every_request(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "_LOOK_AGAIN", 3600.0)
    keys = KeyRing("", file)

    file.write_text(f"one:predict:{NEW}")

    assert knows(keys, OLD)
    assert not knows(keys, NEW)


@pytest.mark.parametrize("content", ["", "one:predict", "one:predict:\xe4", "# none", "x" * 2**21])
def test_the_old_keys_stay_when_the_file_is_of_no_use(
    content: str, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = KeyRing("", file)

    file.write_text(content)

    for _ in range(3):
        assert knows(keys, OLD)
        assert not knows(keys, "")
    assert len(caplog.messages) == 1
    assert caplog.messages[0].endswith("; the keys of before stay")


def test_the_old_keys_stay_when_the_file_goes_and_new_ones_come_with_it(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = KeyRing("", file)

    file.unlink()
    assert knows(keys, OLD)
    file.write_text(f"one:predict:{NEW}")

    assert knows(keys, NEW)
    assert not knows(keys, OLD)
    assert "SOFTLENS_KEYS_FILE: cannot be read: No such file" in caplog.messages[0]


def test_a_link_that_is_flipped_is_a_change(tmp_path: Path, file: Path) -> None:
    """So Kubernetes exchanges a mounted secret."""
    link, other = tmp_path / "link", tmp_path / "other"
    link.symlink_to(file)
    keys = KeyRing("", link)

    other.write_text(f"one:predict:{NEW}")
    (tmp_path / "flipped").symlink_to(other)
    (tmp_path / "flipped").rename(link)

    assert knows(keys, NEW)
    assert not knows(keys, OLD)


def test_keys_of_the_environment_stay_when_the_file_changes(file: Path) -> None:
    keys = KeyRing(f"fixed:admin:{FIXED}", file)

    file.write_text(f"two:predict:{NEW}")

    assert knows(keys, FIXED)
    assert knows(keys, NEW)
    assert not knows(keys, OLD)


@pytest.mark.parametrize("name", ["one", "two"])
def test_a_key_or_a_name_may_not_come_from_both(name: str, file: Path) -> None:
    with pytest.raises(StartError) as caught:
        key_ring(f"{name}:predict:{OLD if name == 'two' else NEW}", file)

    assert caught.value.exit_code == 78
    assert "SOFTLENS_KEYS has too" in str(caught.value)


def test_no_keys_are_wanted_where_none_are_set() -> None:
    assert key_ring("", None) is None


def test_digests_that_begin_alike_are_told_apart() -> None:
    """Of 2,000 keys some share the two bytes they are looked up by."""
    text = "\n".join(f"k{i}:predict:key-number-{i:020d}" for i in range(2000))
    keys = KeyRing(text, None)

    assert len({key.digest[:2] for key in read_keys(text, "")}) < 2000
    for i in range(2000):
        found = keys.find(f"key-number-{i:020d}".encode())
        assert found
        assert found.name == f"k{i}"
