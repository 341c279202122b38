"""Where results may be written, judged before the work."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from app.commands.output import check_output, locked
from app.failures import LockedError, OutputError
from tests.model.faults import Faults
from tests.serving import environment


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


def test_a_lock_ends_with_its_process_however_it_ends(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from app.commands.output import locked\n"
        "with locked(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "m.npz"],
        stdout=subprocess.PIPE, text=True, env=environment(),
    ) as holder:  # fmt: skip
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"locked by process {holder.pid}"):
            locked(tmp_path / "m.npz").__enter__()
        holder.kill()

    with locked(tmp_path / "m.npz"):
        pass


@pytest.mark.parametrize("lasting", [False, True])
def test_the_nth_call_that_fails_while_locking_locks_nobody_out(
    lasting: bool, tmp_path: Path
) -> None:
    for nth in range(1, 100):
        faults, entered = Faults(nth, lasting=lasting), False
        with faults.planted(), suppress(OSError, OutputError), locked(tmp_path / "m.npz"):
            entered = True

        with locked(tmp_path / "m.npz"):
            pass
        if not faults.struck:
            break
    assert entered
    assert nth > 5


def test_a_lock_that_cannot_be_removed_is_no_failure_of_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "planted")

    with locked(tmp_path / "m.npz"):
        monkeypatch.setattr(os, "unlink", fail)

    with locked(tmp_path / "m.npz"):  # what is left behind locks nothing
        pass
