"""Write a file so that whoever reads it finds the old bytes or the new ones, never a mixture."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data` in one step that survives a crash and a power cut.

    The bytes go to a temporary file beside the target, reach the disk, and only then take the
    target's name; the folder is synced last, because the rename is an entry in it.

    Args:
        path: the target; its folder must exist.
        data: the whole content.

    Raises:
        OSError: whatever the system reports; the target is then as it was before, and the
            temporary file is gone.
    """
    _sweep_leftovers(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        # Not mkstemp: its private mode would hide the model from the user a container runs as.
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def _sweep_leftovers(path: Path) -> None:
    """Remove temporary files of writers that were killed, and only those."""
    for leftover in path.parent.glob(f".{path.name}.*.tmp"):
        pid = leftover.name.split(".")[-3]
        if pid.isdigit() and not _is_alive(int(pid)):
            with suppress(OSError):
                leftover.unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
