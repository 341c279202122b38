import errno
import os
from pathlib import Path

import pytest

from model.files import write_atomically


def test_new_bytes_replace_the_old_ones(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    write_atomically(path, b"new")

    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_other_users_may_read_what_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_atomically(tmp_path / "file", b"")
    finally:
        os.umask(before)

    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_leftovers_are_swept_when_they_are_old_and_only_those(tmp_path: Path) -> None:
    """A fresh one may belong to a writer in another container."""
    old, fresh, foreign = (
        tmp_path / name for name in (".0a.softlens-tmp", ".0b.softlens-tmp", ".notes.tmp")
    )
    for leftover in (old, fresh, foreign):
        leftover.write_bytes(b"")
    for leftover in (old, foreign):
        os.utime(leftover, (1e9, 1e9))

    write_atomically(tmp_path / "file", b"new")

    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "file", fresh, foreign])


def test_a_mode_is_kept_and_a_link_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o600)
    link.symlink_to(target)

    write_atomically(link, b"new")

    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("n" * 255), b"new")

    assert (tmp_path / ("n" * 255)).read_bytes() == b"new"


def test_a_folder_that_cannot_be_synced_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EINVAL, "planted")

    monkeypatch.setattr("model.files._sync_folder", fail)

    write_atomically(tmp_path / "file", b"new")

    assert (tmp_path / "file").read_bytes() == b"new"
