import signal
import subprocess
import sys
import threading

import pytest

from model.training.crew import Crew
from tests.serving import environment


def test_tasks_are_done_at_the_same_time() -> None:
    """Each waits for the other: one after the other they would never end."""
    both = threading.Barrier(2, timeout=60)
    crew = Crew(2)

    assert crew.run([both.wait, both.wait]) in ([0, 1], [1, 0])
    crew.close()


def test_answers_come_in_the_order_of_the_tasks() -> None:
    crew = Crew(3)

    for _ in range(100):
        assert crew.run([lambda: "a", lambda: "b", lambda: "c"]) == ["a", "b", "c"]
    crew.close()


@pytest.mark.parametrize("culprit", [0, 1])
def test_an_error_leaves_once_all_are_at_rest(culprit: int) -> None:
    crew, done = Crew(2), threading.Event()

    def fail() -> None:
        raise OSError("the disk")

    tasks = [done.set, done.set]
    tasks[culprit] = fail
    with pytest.raises(OSError, match="the disk"):
        crew.run(tasks)

    assert done.is_set()
    assert crew.run([lambda: 1, lambda: 2]) == [1, 2]
    crew.close()


def test_one_task_needs_no_other_thread() -> None:
    crew = Crew(2)

    assert crew.run([threading.get_ident]) == [threading.get_ident()]


def test_a_closed_crew_sends_its_threads_home() -> None:
    crew, before = Crew(3), set(threading.enumerate())
    crew.run([int, int, int])
    called = set(threading.enumerate()) - before

    crew.close()

    for thread in called:
        thread.join(timeout=60)
    assert len(called) == 2
    assert not any(thread.is_alive() for thread in called)


def test_an_interrupt_waits_for_the_others() -> None:
    """Ctrl-C reaches the thread that waits; the other one still writes."""
    program = (
        "import os, signal, threading, time\n"
        "from model.training.crew import Crew\n"
        "done = []\n"
        "def slow():\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(0.5)\n"
        "    done.append(1)\n"
        "try:\n    Crew(2).run([int, slow])\n"
        "except KeyboardInterrupt:\n    print('interrupted', done)\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, timeout=60, env=environment(),
    )  # fmt: skip

    assert run.stdout == "interrupted [1]\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
