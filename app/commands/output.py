"""Files of the command line: never written over unasked, never written by two at once."""

import errno
import fcntl
import os
import sys
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager, suppress
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
        exists, target = path.exists(), path.resolve()
    except (UnicodeEncodeError, OSError):
        raise OutputError(f"{str(path)!r:.60}: not a usable file name; choose another") from None
    except RuntimeError:  # what Python until 3.12 raises for it
        raise _no_end(path) from None
    if not exists and target.is_symlink():
        raise _no_end(path)
    if not target.parent.is_dir():
        raise OutputError(f"{path}: the folder {target.parent} does not exist; make it first")
    if exists and not path.is_file():
        raise OutputError(f"{path}: is not a regular file; name another one")
    if exists and not force:
        raise OutputError(f"{path}: already exists; choose another name, or --force to overwrite")
    if not os.access(target.parent, os.W_OK):
        raise OutputError(f"{path}: the folder {target.parent} cannot be written to")


def _no_end(path: Path) -> OutputError:
    return OutputError(f"{path}: is a link that leads to itself; name another file")


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
            raise OSError(error.errno, error.strerror, str(path)) from None
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
    target = path.resolve()  # one file has one lock, however it is named
    lock = target.with_name(f".{target.name[:200]}.lock")
    with writing(path):
        file = _open_locked(lock, path)
    with file:
        try:
            with writing(path):
                os.truncate(file.fileno(), 0)
                os.write(file.fileno(), str(os.getpid()).encode())
            yield
        finally:
            with suppress(OSError):  # left behind it locks nothing
                lock.unlink()


def _open_locked(lock: Path, path: Path) -> TextIO:
    """The lock file, held. Another holder may unlink it between opening and locking: then again."""
    while True:
        # Not through a link: what it points to would be emptied.
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with ExitStack() as unless_held:
            file = unless_held.enter_context(
                os.fdopen(os.open(lock, flags, 0o666), "a+", errors="replace")
            )
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read(20).strip() or "unknown"
                detail = f"{path}: locked by process {holder}, which is writing it"
                raise LockedError(detail) from None
            if lock.exists() and os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                unless_held.pop_all()
                return file
