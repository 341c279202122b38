"""Where results may be written, judged before the work."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.commands.output import check_output, locked
from app.failures import LockedError, OutputError


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_has_one_lock_however_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "other").symlink_to("real")
    (tmp_path / "link.npz").symlink_to("real/m.npz")

    with locked(tmp_path / "real" / "m.npz"):
        for name in ("other/m.npz", "link.npz", "real/../real/m.npz"):
            with pytest.raises(LockedError, match=f"locked by process {os.getpid()}"):
                locked(tmp_path / name).__enter__()
    assert list((tmp_path / "real").iterdir()) == []


def test_a_full_disk_leaves_no_lock_behind(tmp_path: Path) -> None:
    with full_disk(), pytest.raises(OSError, match=r"File too large: .*m\.npz"):
        locked(tmp_path / "m.npz").__enter__()

    assert list(tmp_path.iterdir()) == []


def test_a_link_that_leads_to_itself_is_no_output(tmp_path: Path) -> None:
    (tmp_path / "a.npz").symlink_to("b.npz")
    (tmp_path / "b.npz").symlink_to("a.npz")

    with pytest.raises(OutputError, match="leads to itself"):
        check_output(tmp_path / "a.npz", force=True)


def test_a_link_to_nothing_is_judged_by_the_folder_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "new.npz").symlink_to("made-later.npz")
    (tmp_path / "far.npz").symlink_to("absent/m.npz")

    check_output(tmp_path / "new.npz", force=False)
    with pytest.raises(OutputError, match="absent does not exist"):
        check_output(tmp_path / "far.npz", force=False)
