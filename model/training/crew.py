"""Threads of Python that share the work of one step. NumPy lets go of the interpreter meanwhile."""

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")

_LOOK_AGAIN = 0.1  # seconds


class Crew:
    """This thread and `size` - 1 more, which wait from one piece of work to the next."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._lines: list[SimpleQueue[_Order[object] | None]] = []

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Do at most `size` tasks at the same time, the first one in this thread.

        Whatever is raised here, a KeyboardInterrupt too, leaves only once all of them are at rest.

        Returns:
            What each task returned.
        """
        if len(tasks) == 1:
            return [tasks[0]()]
        orders = [_Order(task) for task in tasks[1:]]
        for line, order in zip(self._started(len(orders)), orders, strict=False):
            line.put(order)  # type: ignore[arg-type]  # what an order returns is not the line's to know
        try:
            first = tasks[0]()
        finally:
            _wait(orders)
        return [first, *(order.result() for order in orders)]

    def close(self) -> None:
        """Send the threads home. A crew that is used again calls new ones."""
        while self._lines:
            self._lines.pop().put(None)

    def _started(self, number: int) -> "list[SimpleQueue[_Order[object] | None]]":
        while len(self._lines) < number:
            line: SimpleQueue[_Order[object] | None] = SimpleQueue()
            threading.Thread(target=_work, args=(line,), daemon=True).start()
            self._lines.append(line)
        return self._lines


class _Order(Generic[T]):
    """A task for another thread, and what became of it."""

    def __init__(self, task: Callable[[], T]) -> None:
        self.task = task
        self.bell: SimpleQueue[None] = SimpleQueue()  # quicker than an Event, which is Python
        self.is_done = False
        self.error: BaseException | None = None

    def carry_out(self) -> None:
        try:
            self.value = self.task()
        except BaseException as error:  # handed to the thread that asked
            self.error = error
        self.is_done = True
        self.bell.put(None)

    def result(self) -> T:
        if self.error is not None:
            raise self.error
        return self.value


def _work(line: "SimpleQueue[_Order[object] | None]") -> None:
    # As in Learner.step: what is not finite is looked for in the loss.
    with np.errstate(over="ignore", invalid="ignore"):
        while (order := line.get()) is not None:
            order.carry_out()


def _wait(orders: "Sequence[_Order[T]]") -> None:
    """Wait for all, even when interrupted: nobody may write on when this thread has moved on."""
    interrupt: KeyboardInterrupt | None = None
    for order in orders:
        while not order.is_done:
            try:
                order.bell.get(timeout=_LOOK_AGAIN)  # a bell may be lost to an interrupt
            except KeyboardInterrupt as error:
                interrupt = error
            except Exception:  # noqa: S110  queue.Empty: look again
                pass
    if interrupt is not None:
        raise interrupt
