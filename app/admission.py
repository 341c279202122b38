"""What is worked on at once: bounded, so that who is asked for too much says so, and recovers.

Small requests are answered on the event loop, one after the other, in tens of microseconds. Large
ones would hold it up, so they go to a few threads; some may wait for one, the rest is refused.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import NamedTuple, Protocol, TypeVar

from app.errors import DeadlineError, OverloadedError
from app.turns import in_a_task

T = TypeVar("T")

_PRODUCTS = 512  # that take as long as reading one byte of JSON
_ANSWERED = 10  # bytes of JSON that are read while one number of an answer is made and written
_LIGHT = 2**18  # for which the event loop may stop: a few milliseconds


def weight_of(widths: tuple[int, int, int], text: int, numbers: int) -> int:
    """How long a prediction may take, in bytes of JSON that are read in the same time.

    Args:
        widths: of the network: features, hidden units and classes.
        text: bytes of JSON to read.
        numbers: that the body holds, at most.
    """
    features, hidden, classes = widths
    rows = numbers // features
    products = rows * hidden * (features + classes)
    return max(text, products // _PRODUCTS, rows * classes * _ANSWERED)


class Room(NamedTuple):
    """How much fits."""

    requests: int = 2048
    backlog: int = 256  # requests that have arrived and are not answered yet
    waiting: int = 128  # large requests, beside those that are worked on
    waiting_bytes: int = 64 * 2**20  # of large bodies
    threads: int = 2
    seconds: float = 30.0  # for the work on a large request, waiting included


class Watcher(Protocol):
    """Is told what waits, in the thread of the event loop."""

    def waited(self, seconds: float) -> None:
        """A large request waited so long for its thread."""

    def set_queued(self, requests: int) -> None:
        """So many wait now."""


class Admission:
    """Counts what is under way. All but `_finished` is for the thread of the event loop."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._most, self._most_behind = room.requests, room.backlog
        self._threads = ThreadPoolExecutor(room.threads, thread_name_prefix="work")
        self._lock = Lock()
        self.watcher: Watcher | None = None
        self.backlog: Callable[[], int] | None = None  # set by a server, which knows
        self.requests = 0
        self.held = 0  # bytes of large bodies
        self.unfinished = 0  # pieces of work, waiting or not

    def enter(self) -> None:
        """Admit one more request; it has to `leave`.

        Raises:
            OverloadedError: too many are here already.
        """
        if self.requests >= self._most:
            raise OverloadedError(f"at most {self._most} requests are answered at once")
        if self.backlog is not None and self.backlog() > self._most_behind:
            raise OverloadedError(f"more than {self._most_behind} requests wait to be answered")
        self.requests += 1

    def leave(self, held: int) -> None:
        """A request is answered, and so many bytes of its body are no longer needed."""
        self.requests -= 1
        self.held -= held

    def hold(self, size: int, before: int = 0) -> None:
        """Take up so many more bytes of a body. One body alone always fits.

        Args:
            size: of what comes.
            before: bytes of the same body that are here already.

        Raises:
            OverloadedError: too many bytes are here already.
        """
        if self.held > before and self.held + size > self._room.waiting_bytes:
            most = self._room.waiting_bytes
            raise OverloadedError(f"at most {most} bytes of large bodies are taken at once")
        self.held += size

    async def worked(self, weight: int, answer: Callable[[], T]) -> T:
        """Work out an answer: at once if it is light, otherwise in a thread when one is free.

        Args:
            weight: bytes of JSON that would take as long to read.
            answer: works on what it closes over, and on nothing of the event loop.

        Raises:
            OverloadedError: too many wait already.
            DeadlineError: it was not done in time.
        """
        return answer() if weight <= _LIGHT else await self.work(answer)

    async def work(self, piece: Callable[[], T]) -> T:
        """Do a large piece of work in a thread, as soon as one is free.

        Raises:
            OverloadedError: too many wait already.
            DeadlineError: it was not done in time; if it had begun, it goes on without us.
        """
        await in_a_task()
        room = self._room
        if self.unfinished >= room.threads + room.waiting:
            raise OverloadedError(f"{room.waiting} large requests wait already")
        with self._lock:
            self.unfinished += 1
        asked, began = time.perf_counter(), 0.0

        def begin() -> T:
            nonlocal began
            began = time.perf_counter()
            return piece()

        future = self._threads.submit(begin)
        future.add_done_callback(self._finished)
        self._tell(None)
        try:
            async with asyncio.timeout(room.seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            began = began or time.perf_counter()
            raise DeadlineError(f"not answered within {room.seconds:g} seconds") from None
        finally:
            del future  # its error holds this frame: a ring, which would keep the body alive
            self._tell(began - asked)

    def _tell(self, waited: float | None) -> None:
        if self.watcher is None:
            return
        self.watcher.set_queued(max(0, self.unfinished - self._room.threads))
        if waited is not None:
            self.watcher.waited(waited)

    def _finished(self, _future: Future[T]) -> None:
        """In whatever thread it ended, or was given up before it began."""
        with self._lock:
            self.unfinished -= 1
