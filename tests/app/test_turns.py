"""Coroutines that become tasks only when they have to wait."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any

import pytest

from app.turns import begin, in_a_task, in_thread


@pytest.fixture
def loop() -> Generator[asyncio.AbstractEventLoop, None, None]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


def begun(
    work: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop
) -> asyncio.Task[None] | None:
    """What `begin` returns where it is used: between two turns, in no task."""
    found: list[asyncio.Task[None] | None] = []

    def callback() -> None:
        found.append(begin(work, loop))
        loop.stop()

    loop.call_soon(callback)
    loop.run_forever()
    return found[0]


def test_what_waits_for_nothing_is_done_before_begin_returns(
    loop: asyncio.AbstractEventLoop,
) -> None:
    done = []

    async def work() -> None:
        done.append(asyncio.current_task(loop))

    assert begun(work(), loop) is None
    assert done == [None]


def test_what_has_to_wait_goes_on_in_a_task(loop: asyncio.AbstractEventLoop) -> None:
    steps: list[object] = []

    async def work() -> None:
        steps.append("begun")
        await in_a_task()
        steps.append(asyncio.current_task())
        await asyncio.sleep(0)
        steps.append("done")

    task = begun(work(), loop)

    assert task is not None
    loop.run_until_complete(task)
    assert steps == ["begun", task, "done"]


def test_a_timeout_belongs_to_the_request_that_waits(loop: asyncio.AbstractEventLoop) -> None:
    """Outside of a task asyncio refuses timeouts; in another's, it would cancel that one."""

    async def work() -> None:
        await in_a_task()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await asyncio.sleep(60)

    task = begun(work(), loop)

    assert task is not None
    loop.run_until_complete(asyncio.wait_for(task, 30))


def test_a_thread_gives_its_result_to_what_was_begun(loop: asyncio.AbstractEventLoop) -> None:
    found = []

    async def work() -> None:
        found.append(await in_thread(lambda: 6 * 7))

    task = begun(work(), loop)

    assert task is not None
    loop.run_until_complete(asyncio.wait_for(task, 30))
    assert found == [42]


def test_within_a_task_nothing_is_put_aside() -> None:
    async def work() -> str:
        await in_a_task()
        return "at once"

    assert asyncio.run(work()) == "at once"
