"""Whatever fails while a model is saved or loaded: the old one or the new one, no mixture."""

import errno
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from model import ArtifactError, load_artifact, save_artifact
from model.files import write_atomically
from tests.long import times
from tests.model.artifacts import make_artifact
from tests.model.faults import Faults, Program
from tests.serving import DEADLINE, ROOT, environment

OLD, NEW = b"old" * 3000, b"new" * 5000
SHAPE = (40, 300, 5)  # some 60 KB, so that saving takes a while


def is_temporary(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(".softlens-tmp")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "model.npz").write_bytes(OLD)
    return folder / "model.npz"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Two models of the same size, as files."""
    folder, found = tmp_path_factory.mktemp("two"), []
    for seed in (1, 2):
        artifact = make_artifact(np.random.default_rng(seed), shape=SHAPE, features=None)
        save_artifact(folder / "m.npz", artifact)
        found.append((folder / "m.npz").read_bytes())
    assert len(found[0]) == len(found[1])
    return found


# Forks a writer for each line it reads, so that NumPy is imported once for all of them.
WRITERS = """
import os, sys, pathlib
from model.files import write_atomically
def planted(path, data):
    path.write_bytes(data)
save = planted if sys.argv[1] == "planted" else write_atomically
path, *files = map(pathlib.Path, sys.argv[2:])
contents = [file.read_bytes() for file in files]
for line in sys.stdin:
    writer = os.fork()
    if not writer:
        while True:
            for data in contents:
                save(path, data)
    print(writer, flush=True)
    os.waitpid(writer, 0)
    print("dead", flush=True)
"""


def kills(how: str, trials: int, path: Path, contents: list[bytes]) -> int:
    """How many of so many writers, each killed at a moment of its own, left what is no model."""
    files = [path.with_name(f"{i}.bytes") for i in range(2)]
    for file, data in zip(files, contents, strict=True):
        file.write_bytes(data)
    path.write_bytes(contents[0])
    moments, bad = random.Random(5), 0  # noqa: S311  moments need not be secret
    with subprocess.Popen(
        [sys.executable, "-c", WRITERS, how, path, *files],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(),
    ) as writers:  # fmt: skip
        assert writers.stdin
        assert writers.stdout
        for _ in range(trials):
            writers.stdin.write("\n")
            writers.stdin.flush()
            writer = int(writers.stdout.readline())
            time.sleep(moments.uniform(0, 0.005))
            os.kill(writer, signal.SIGKILL)
            assert writers.stdout.readline() == "dead\n"
            bad += path.read_bytes() not in contents
        writers.stdin.close()
    return bad


def test_no_writer_that_is_killed_leaves_what_is_no_model(path: Path, two: list[bytes]) -> None:
    assert kills("as it is", times(50, 1000), path, two) == 0

    left = [file for file in path.parent.iterdir() if is_temporary(file)]
    for file in left:
        os.utime(file, (1e9, 1e9))  # a day later
    write_atomically(path, two[0])
    assert not any(map(is_temporary, path.parent.iterdir()))


def test_a_writer_without_our_care_is_noticed(path: Path, two: list[bytes]) -> None:
    """The control: the same kills find what a plain write leaves behind."""
    assert kills("planted", 50, path, two) > 0


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_at_any_byte_leaves_the_old_file_and_no_other(path: Path) -> None:
    for size in (*range(0, len(NEW), times(97, 1)), len(NEW) - 1):
        with files_of_at_most(size), pytest.raises(OSError, match="too large") as caught:
            write_atomically(path, NEW)

        assert caught.value.errno == errno.EFBIG
        assert path.read_bytes() == OLD
        assert list(path.parent.iterdir()) == [path]

    with files_of_at_most(len(NEW)):
        write_atomically(path, NEW)
    assert path.read_bytes() == NEW


@pytest.mark.parametrize("lasting", [False, True])
def test_the_nth_call_that_fails_while_saving_leaves_old_or_new(lasting: bool, path: Path) -> None:
    """Calls are counted up to exhaustion: the loop ends when there was no n-th."""
    for nth in range(1, 100):
        path.write_bytes(OLD)
        faults, saved = Faults(nth, lasting=lasting), True
        with faults.planted():
            try:
                write_atomically(path, NEW)
            except OSError:
                saved = False

        assert path.read_bytes() == (NEW if saved else OLD), nth
        others = [file for file in path.parent.iterdir() if file != path]
        # When nothing works any more, the temporary file cannot be removed either.
        assert all(map(is_temporary, others)) if lasting else not others, nth
        for file in others:
            file.unlink()
        if not faults.struck:
            break
    assert saved
    assert nth > 10


@pytest.mark.parametrize("lasting", [False, True])
def test_the_nth_call_that_fails_while_loading_is_an_error_or_of_no_matter(
    lasting: bool, path: Path, two: list[bytes]
) -> None:
    path.write_bytes(two[0])
    expected = load_artifact(path).metadata["sha256"]

    for nth in range(1, 100):
        faults, found = Faults(nth, lasting=lasting), None
        with faults.planted():
            try:
                found = load_artifact(path)
            except OSError as error:
                assert error.errno == errno.EIO  # noqa: PT017  not every call must matter

        assert found is None or found.metadata["sha256"] == expected
        if not faults.struck:
            break
    assert found is not None
    assert nth > 2


# The module alone, which needs nothing but the standard library: Python then starts in no time.
SAVE = f"""
import importlib.util, os, pathlib, sys
found = importlib.util.spec_from_file_location("files", {str(ROOT / "model" / "files.py")!r})
files = importlib.util.module_from_spec(found)
found.loader.exec_module(files)
path, data = pathlib.Path(sys.argv[1]), b"new" * 5000
os.access("/begin", os.F_OK)
try:
    files.write_atomically(path, data)
    result = "saved"
except OSError as error:
    result = "refused"
os.access("/end", os.F_OK)
print(result)
"""
LOAD = """
import os, pathlib, sys
from model import load_artifact
path = pathlib.Path(sys.argv[1])
load_artifact(path)  # for what Python imports at the first time
os.access("/begin", os.F_OK)
try:
    result = load_artifact(path).metadata["sha256"]
except OSError as error:
    result = f"refused {error.errno}"
os.access("/end", os.F_OK)
print(result)
"""
SAVING = "openat,write,fsync,close,rename,chmod,newfstatat,getdents64,lseek,unlink"
LOADING = "openat,newfstatat,fstat,read,close,lseek"


def saving(path: Path) -> Program:
    return Program(SAVE, (str(path),), ("-I", "-S"))


def test_bytes_reach_the_disk_before_the_name_and_the_name_before_the_end(path: Path) -> None:
    names = [call.name for call in saving(path).run(SAVING).calls]

    after = names[names.index("fsync") :]
    assert names.index("write") < names.index("fsync")
    assert after.index("close") < after.index("rename")
    assert "fsync" in after[after.index("rename") :]  # of the folder


@pytest.mark.parametrize("errors", ["EIO", "ENOSPC", "EDQUOT", "EINTR"])
def test_every_call_to_the_system_may_fail_while_saving(errors: str, path: Path) -> None:
    calls = saving(path).run(SAVING).calls
    few = {"EIO": calls, "EINTR": [c for c in calls if c.name in ("openat", "write", "fsync")]}
    space = [call for call in calls if call.name in ("openat", "write", "fsync", "rename", "close")]

    for name, nth in few.get(errors, space):
        path.write_bytes(OLD)
        found = saving(path).run(SAVING, "-e", f"inject={name}:error={errors}:when={nth}")

        assert found.struck, (name, nth)
        assert found.printed in ("saved\n", "refused\n"), (name, nth)
        saved = found.printed == "saved\n"
        assert path.read_bytes() == (NEW if saved else OLD), (name, nth)
        assert list(path.parent.iterdir()) == [path], (name, nth)
        assert saved or errors != "EINTR", (name, nth)  # that is only to be tried again


def test_a_writer_may_be_killed_at_every_call_to_the_system(path: Path) -> None:
    """Between two calls nothing changes on a disk, so these are all the moments there are."""
    for name, nth in saving(path).run(SAVING).calls:
        path.write_bytes(OLD)
        found = saving(path).run(SAVING, "-e", f"inject={name}:signal=KILL:when={nth}")

        assert found.code == -signal.SIGKILL, (name, nth)
        assert path.read_bytes() in (OLD, NEW), (name, nth)
        others = [file for file in path.parent.iterdir() if file != path]
        assert len(others) <= 1, (name, nth)
        assert all(map(is_temporary, others)), (name, nth)
        for file in others:
            file.unlink()


def test_every_call_to_the_system_may_fail_while_loading(path: Path, two: list[bytes]) -> None:
    path.write_bytes(two[0])
    program = Program(LOAD, (str(path),))
    whole = program.run(LOADING)

    for name, nth in whole.calls:
        found = program.run(LOADING, "-e", f"inject={name}:error=EIO:when={nth}")

        assert found.struck, (name, nth)
        assert found.printed in (whole.printed, f"refused {errno.EIO}\n"), (name, nth)


def test_two_writers_and_a_reader_never_see_a_mixture(path: Path, two: list[bytes]) -> None:
    path.write_bytes(two[0])
    hashes = {load_artifact(path).metadata["sha256"]}
    end, failures = threading.Event(), []

    def write(data: bytes) -> None:
        try:
            while not end.is_set():
                write_atomically(path, data)
        except OSError as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(data,)) for data in two]
    for writer in writers:
        writer.start()
    deadline = time.monotonic() + DEADLINE
    try:
        for _ in range(times(200, 5000)):
            hashes.add(load_artifact(path).metadata["sha256"])
        while len(hashes) < 2 and time.monotonic() < deadline:
            hashes.add(load_artifact(path).metadata["sha256"])
    finally:
        end.set()
        for writer in writers:
            writer.join(DEADLINE)

    assert failures == []
    assert len(hashes) == 2
    assert path.read_bytes() in two
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_is_overwritten_while_it_is_read_is_refused_or_whole(
    path: Path, two: list[bytes]
) -> None:
    """As `cp` overwrites: not by us, and without our care."""
    path.write_bytes(two[0])
    expected = {load_artifact(path).metadata["sha256"]}
    path.write_bytes(two[1])
    expected.add(load_artifact(path).metadata["sha256"])

    end = threading.Event()

    def overwrite() -> None:
        with path.open("r+b", buffering=0) as file:
            while not end.is_set():
                for data in two:
                    for at in range(0, len(data), 4096):
                        os.pwrite(file.fileno(), data[at : at + 4096], at)

    writer = threading.Thread(target=overwrite)
    writer.start()
    refused, deadline = 0, time.monotonic() + DEADLINE
    try:
        for _ in range(times(100, 5000)):
            refused += not is_one_of(expected, path)
        while not refused and time.monotonic() < deadline:
            refused += not is_one_of(expected, path)
    finally:
        end.set()
        writer.join(DEADLINE)

    assert refused  # or nothing was tried here


def is_one_of(expected: set[str], path: Path) -> bool:
    """Whether a model is loaded; it is then one of these."""
    try:
        found = load_artifact(path)
    except ArtifactError:
        return False
    assert found.metadata["sha256"] in expected
    return True


@pytest.mark.parametrize("change", ["grows", "shrinks", "is emptied", "is replaced", "is removed"])
def test_a_file_that_changes_between_its_size_and_its_bytes_is_refused_or_whole(
    change: str, path: Path, two: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(two[0])
    expected, real = load_artifact(path).metadata["sha256"], os.fstat

    def look(handle: int) -> os.stat_result:
        found = real(handle)
        match change:
            case "grows":
                path.write_bytes(two[0] + b"more")
            case "shrinks":
                os.truncate(path, len(two[0]) - 1)
            case "is emptied":
                os.truncate(path, 0)
            case "is replaced":
                path.with_name("other").write_bytes(two[1])
                path.with_name("other").replace(path)
            case "is removed":
                path.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(os, "fstat", look)
    if change in ("is replaced", "is removed"):  # what is open is what is read
        assert load_artifact(path).metadata["sha256"] == expected
    else:
        with pytest.raises(ArtifactError, match=r"truncated|empty file"):
            load_artifact(path)
