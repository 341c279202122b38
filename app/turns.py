"""Coroutines that run at once, and become tasks only when they have to wait.

Most requests wait for nothing: what it takes to answer them is there when they have arrived. A task
for each would cost as much as reading it, and a turn of the event loop. Python 3.12 has such tasks
of its own; docs/decisions/0012-at-once.md says why these are not those.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

from fastapi.concurrency import run_in_threadpool

T = TypeVar("T")


def begin(
    work: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop
) -> asyncio.Task[None] | None:
    """Run a coroutine up to its end; or up to where it waits, and let a task do the rest.

    Args:
        work: before it waits for anything but `in_a_task`, it awaits that.
        loop: of this thread, between two callbacks of which nothing else runs.

    Returns:
        The task; None where none is needed.
    """
    try:
        work.send(None)
    except StopIteration:
        return None
    return loop.create_task(work)  # which goes on where it gave way


async def in_a_task() -> None:
    """Have what follows run in a task: timeouts and threads want to know which one."""
    if asyncio.current_task() is None:
        await _aside()


async def in_thread(work: Callable[[], T]) -> T:
    """The result of a function that takes its time, called in a thread."""
    await in_a_task()
    return await run_in_threadpool(work)


@coroutine
def _aside() -> Generator[None, None, None]:
    """Give way to `begin`, which is the only one that runs coroutines outside of a task."""
    yield
