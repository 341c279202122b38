"""Files of the command line: never written over unasked, never written by two at once."""

import errno
import fcntl
import os
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from app.failures import LockedError, OutputError

Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing output file.")]
# readable=False: a file that cannot be read is our own error, with its own exit code.
ModelFile = Annotated[Path, typer.Argument(help="A model file.", readable=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def check_output(path: Path, *, force: bool) -> None:
    """Refuse before the work what would fail after it.

    Raises:
        OutputError: the folder is missing, the name is unfit, or something is there already.
    """
    try:
        str(path).encode()
        exists = path.exists()
    except (UnicodeEncodeError, OSError):
        raise OutputError(f"{str(path)!r:.60}: not a usable file name; choose another") from None
    if not path.parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist; make it first")
    if exists and not path.is_file():
        raise OutputError(f"{path}: is not a regular file; name another one")
    if exists and not force:
        raise OutputError(f"{path}: already exists; choose another name, or --force to overwrite")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"{path}: the folder {path.parent} cannot be written to")


@contextmanager
def writing(path: Path) -> Generator[None, None, None]:
    """What the system says against writing `path`, as the output's own error.

    Raises:
        OutputError: it cannot be created.
        OSError: the disk is full or failed, which has an exit code of its own.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG):
            raise
        raise OutputError(f"{path}: cannot be created: {error.strerror}") from None


def print_lines(lines: Iterable[str]) -> None:
    """Print until the reader has seen enough, as `head` does: that is no failure."""
    try:
        for line in lines:
            typer.echo(line)
    except BrokenPipeError:
        # Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def locked(path: Path) -> Generator[None, None, None]:
    """Be the only process that makes `path`; the lock ends with the process, however it ends.

    Raises:
        LockedError: another process holds it.
    """
    lock = path.with_name(f".{path.name[:200]}.lock")
    with writing(path):
        file = _open_locked(lock, path)
    with file:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _open_locked(lock: Path, path: Path) -> TextIO:
    """The lock file, held. Another holder may unlink it between opening and locking: then again."""
    while True:
        # Not through a link: what it points to would be emptied.
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.fdopen(os.open(lock, flags, 0o666), "a+", errors="replace")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read(20).strip() or "unknown"
            file.close()
            raise LockedError(f"{path}: locked by process {holder}, which is writing it") from None
        if lock.exists() and os.path.samestat(os.fstat(file.fileno()), lock.stat()):
            return file
        file.close()
