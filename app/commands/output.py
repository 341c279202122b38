"""Files of the command line: never written over unasked, never written by two at once."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from app.failures import LockedError, OutputError

Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing output file.")]
# readable=False: a file that cannot be read is our own error, with its own exit code.
ModelFile = Annotated[Path, typer.Argument(help="A model file.", readable=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def check_output(path: Path, *, force: bool) -> None:
    """Refuse before the work what would fail after it.

    Raises:
        OutputError: the folder is missing, or something is there already.
    """
    if not path.parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist; make it first")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file")
    if path.exists() and not force:
        raise OutputError(f"{path}: already exists; choose another name, or --force to overwrite")


@contextmanager
def locked(path: Path) -> Generator[None, None, None]:
    """Be the only process that makes `path`; the lock ends with the process, however it ends.

    Raises:
        LockedError: another process holds it.
    """
    lock = path.with_name(f".{path.name}.lock")
    try:
        opened = lock.open("a+")
    except OSError as error:
        raise OutputError(f"{path}: cannot be created here: {error.strerror}") from None
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LockedError(
                f"{path}: locked by process {file.read().strip() or 'unknown'}, which is writing it"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)
