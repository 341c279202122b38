"""How training shows itself: a bar on a terminal, plain lines elsewhere. Always on stderr."""

import os
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

from app.talk import say
from model.training import Epoch

Show = Callable[[Epoch, bool], None]

_QUIET_SECONDS = 10.0  # between two plain lines


@contextmanager
def progress(epochs: int) -> Generator[Show, None, None]:
    """Something to call after every epoch with it and whether it is the best yet."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _bar(epochs) as show:
            yield show
    else:
        with _lines(epochs) as show:
            yield show


@contextmanager
def _bar(epochs: int) -> Generator[Show, None, None]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True))
    task = bar.add_task("", total=epochs)
    try:
        with suppress(OSError):  # a terminal that is gone; training goes on
            bar.start()
        yield lambda epoch, _: bar.update(task, advance=1, description=_scores(epoch))
    finally:
        with suppress(OSError):
            bar.stop()


@contextmanager
def _lines(epochs: int) -> Generator[Show, None, None]:
    """The first epoch, one every 10 seconds, and the last, however training ends."""
    last: Epoch | None = None
    printed, at = 0, 0.0

    def show(epoch: Epoch, _: bool) -> None:
        nonlocal last, printed, at
        last, now = epoch, time.monotonic()
        if epoch.number == 1 or now - at >= _QUIET_SECONDS:
            printed, at = epoch.number, now
            _print(epoch, epochs)

    try:
        yield show
    finally:
        if last and last.number > printed:
            _print(last, epochs)


def _print(epoch: Epoch, epochs: int) -> None:
    say(f"epoch {epoch.number}/{epochs}: {_scores(epoch)}")


def _scores(epoch: Epoch) -> str:
    if epoch.validation_loss is None:
        return f"loss {epoch.training_loss:.4f}, accuracy {epoch.training_accuracy:.4f}"
    return (
        f"loss {epoch.training_loss:.4f}, validation loss {epoch.validation_loss:.4f}, "
        f"accuracy {epoch.validation_accuracy:.4f}"
    )
