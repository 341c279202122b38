"""When to look at the disk: every few seconds, and when told to, in a thread of its own.

By looking and not by events of the file system, which network mounts do not send.
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeAlias

from app.repository.repository import Repository

log = logging.getLogger("softlens")

Calls: TypeAlias = SimpleQueue[bool]  # True: look now; False: stop. A signal handler may put.

_SECOND_LOOK_SECONDS = 1.0
_FAREWELL_SECONDS = 2.0


@contextmanager
def watching(repository: Repository, seconds: float, calls: Calls) -> Generator[None, None, None]:
    """Keep the repository up to date until the block ends.

    Args:
        repository: that is started.
        seconds: from one look to the next; 0 looks only when called.
        calls: several that wait are answered by one look.
    """
    thread = Thread(target=_watch, args=(repository, seconds, calls), name="models", daemon=True)
    thread.start()
    try:
        yield
    finally:
        calls.put(False)
        thread.join(_FAREWELL_SECONDS)


def _watch(repository: Repository, seconds: float, calls: Calls) -> None:
    pause = seconds or None
    while _wait(calls, pause):
        missed = False
        try:
            missed = repository.reload()
        except Exception:
            # A bug, or no memory for the listing: what is served must not depend on it.
            log.exception("looking for models failed; those that were loaded keep answering")
        pause = min(seconds or _SECOND_LOOK_SECONDS, _SECOND_LOOK_SECONDS) if missed else seconds
        pause = pause or None


def _wait(calls: Calls, pause: float | None) -> bool:
    """Wait for a call or for the pause to end, and take all calls that wait for one."""
    going = True
    with suppress(Empty):
        going = calls.get(timeout=pause)
        while going:
            going = calls.get_nowait()
    return going
