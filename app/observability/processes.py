"""What the processes of a server use, as Prometheus names it; nothing where there is no /proc."""

import os
import resource
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from app.observability.board import PROCESS, Board

_PROC = Path("/proc")


class Usage(NamedTuple):
    """One process. Times are in ticks."""

    own: int  # user and system
    buried: int  # the same of children that have ended
    started: int  # since the machine was booted
    virtual: int  # bytes
    resident: int  # bytes


class Process(NamedTuple):
    """A number that all processes of a server have together."""

    kind: str
    name: str
    meaning: str
    value: float


def processes_of(board: Board) -> list[int]:
    """The workers that live; before them their supervisor, where there is one."""
    workers = [int(slot[PROCESS]) for slot in board.live()]
    return [os.getppid(), *workers] if board.supervised else workers


def used(processes: Sequence[int], *, supervised: bool) -> Iterator[Process]:
    """What they use together. Memory that they share is counted for each of them."""
    found = _look(processes, supervised=supervised)
    if not found:
        return
    ticks = os.sysconf("SC_CLK_TCK")
    # The supervisor inherits the time of workers that ended, so that the sum does not go back.
    busy = sum(usage.own for usage in found) + (found[0].buried if supervised else 0)
    yield Process("counter", "process_cpu_seconds_total", "Processor time.", busy / ticks)
    yield Process(
        "gauge", "process_resident_memory_bytes", "Memory in use.", sum(u.resident for u in found)
    )
    yield Process(
        "gauge", "process_virtual_memory_bytes", "Address space.", sum(u.virtual for u in found)
    )
    started = _boot_time() + min(usage.started for usage in found) / ticks
    yield Process("gauge", "process_start_time_seconds", "Start, in seconds since 1970.", started)
    yield Process("gauge", "process_open_fds", "Open files and sockets.", _open_files(processes))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    yield Process("gauge", "process_max_fds", "The most that each process may have open.", most)


def _look(processes: Sequence[int], *, supervised: bool) -> list[Usage]:
    """All of them at one moment: again, if meanwhile one ended and was inherited."""
    found: list[Usage] = []
    for _ in range(3):
        found = [usage for process in processes if (usage := usage_of(process))]
        again = usage_of(processes[0]) if supervised and processes else None
        if not supervised or (found and again and again.buried == found[0].buried):
            break
    return found


def usage_of(process: int) -> Usage | None:
    """What a process uses; none if it is gone."""
    try:
        fields = (_PROC / str(process) / "stat").read_text(errors="replace").rpartition(")")[2]
    except OSError:
        return None
    numbers = [0, *map(int, fields.split()[1:22])]  # behind the letter of its state
    own, buried = sum(numbers[11:13]), sum(numbers[13:15])
    pages = os.sysconf("SC_PAGE_SIZE")
    return Usage(own, buried, numbers[19], numbers[20], numbers[21] * pages)


def _boot_time() -> float:
    return float((_PROC / "stat").read_text().partition("\nbtime ")[2].split()[0])


def _open_files(processes: Sequence[int]) -> int:
    count = 0
    for process in processes:
        with suppress(OSError):
            count += sum(1 for _ in (_PROC / str(process) / "fd").iterdir())
    return count
