"""Files on disk: read without waiting, written so that nobody ever reads half of one."""

import errno
import os
import secrets
import stat
import time
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

_SUFFIX = ".softlens-tmp"
_STALE_SECONDS = 86_400.0


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file to read its bytes.

    Anything else, such as a pipe, could keep the reader waiting for ever.

    Raises:
        OSError: it is missing, cannot be read, or is something else: IsADirectoryError, or
            ENXIO as the system says of a socket.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.ENXIO, "Not a regular file", str(path))
    except OSError:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data` in one step that survives a crash and a power cut.

    The bytes go to a temporary file beside the target, reach the disk, and only then take the
    target's name; the folder is synced last, because the rename is an entry in it. A link is
    followed, and an old file's mode is kept.

    Args:
        path: the target; its folder must exist.
        data: the whole content.

    Raises:
        OSError: whatever the system reports; the target is then as it was before, and the
            temporary file is gone.
    """
    path = path.resolve()
    _sweep_leftovers(path.parent)
    temporary = path.with_name(f".{secrets.token_hex(8)}{_SUFFIX}")
    try:
        # Not mkstemp: its private mode would hide the model from the user a container runs as.
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            temporary.chmod(path.stat().st_mode & 0o777)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    # The new file is there already; some network file systems cannot sync a folder.
    with suppress(OSError):
        _sync_folder(path.parent)


def _sweep_leftovers(folder: Path) -> None:
    """Remove what killed writers left.

    By age and not by process: a writer may live in another container or on another machine.
    What cannot be swept now is left to the next writer.
    """
    with suppress(OSError):
        for leftover in folder.glob(f".*{_SUFFIX}"):
            with suppress(OSError):
                if time.time() - leftover.stat().st_mtime > _STALE_SECONDS:
                    leftover.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
