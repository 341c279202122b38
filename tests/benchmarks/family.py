"""A server and all its processes: what they use, and how they are told something. Linux only."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """CPU time used so far by a server: the clock of clock_getcpuclockid(3) of each process."""
    found = 0.0
    for member in members(pid):
        with suppress(OSError):  # it has just ended
            found += time.clock_gettime(~member << 3 | 2)
    return found


def resident_mib(pid: int) -> float:
    """VmRSS of a server; what its processes share is counted for each."""
    found = 0
    for member in members(pid):
        with suppress(OSError, StopIteration):
            status = Path(f"/proc/{member}/status").read_text()
            line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
            found += int(line.split()[1])
    return found / 1024


def members(pid: int) -> list[int]:
    """A process, those of its session, and all their descendants."""
    parents: dict[int, int] = {}
    found = {pid}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                parents[int(folder.name)] = int(fields[1])
                if int(fields[3]) == pid:
                    found.add(int(folder.name))
    grown = True
    while grown:
        more = {child for child, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return sorted(found)


def send(pid: int, number: signal.Signals) -> None:
    for member in members(pid):
        with suppress(ProcessLookupError):
            os.kill(member, number)
