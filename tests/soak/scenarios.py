"""What is done to a server under load, and what must come of it. The numbers are parameters.

Each scenario returns what it counted, and the promises that were broken, which should be none. The
tests run them with small numbers, `python -m tests.soak` with large ones.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.serving import DEADLINE, Server, serving
from tests.soak.load import Load, load

CLIENTS = 8


class Outcome(NamedTuple):
    """What was counted, and what should not have been."""

    figures: dict[str, float]
    broken: list[str]


def reloads(
    model: Path, times: int, requests: int = 0, workers: int = 2, program: str = ""
) -> Outcome:
    """Exchange all workers again and again, until at least so many requests were answered."""
    done, longest = 0, 0.0
    with serving(model, program, workers=workers) as server, load(server.url, CLIENTS) as asked:
        while done < times or asked.answered < requests:
            began, said = time.monotonic(), len(server.stderr)
            server.process.send_signal(signal.SIGHUP)
            wait_for("every worker is new", server, said)
            longest = max(longest, time.monotonic() - began)
            done += 1
    failed = [line for line in server.stderr if line.startswith("ERROR")]
    return _judged(asked, {"reloads": done, "longest_seconds": longest}, failed)


def terminations(
    model: Path, times: int, workers: int = 1, drain: float = 1, program: str = ""
) -> Outcome:
    """SIGTERM in the middle of it: whatever was accepted is answered, and the exit code is 0."""
    every, codes, longest = Load(), [], 0.0
    for _ in range(times):
        with (
            serving(model, program, workers=workers, drain_seconds=drain) as server,
            load(server.url, CLIENTS) as asked,
        ):
            asked.wait_for_more(50)
            began = time.monotonic()
            codes.append(server.stop())
            longest = max(longest, time.monotonic() - began)
        every.add(asked)
    broken = [f"exit code {code}" for code in codes if code]
    return _judged(every, {"stops": times, "longest_seconds": longest}, broken)


def kills(model: Path, times: int, workers: int = 2) -> Outcome:
    """SIGKILL to one worker after the other: only what it was answering is lost."""
    return _felled(model, times, workers, signal.SIGKILL)


def hangs(model: Path, times: int, workers: int = 2) -> Outcome:
    """SIGSTOP to one worker after the other: it is noticed, killed and replaced."""
    return _felled(model, times, workers, signal.SIGSTOP)


def orphans(model: Path, times: int, workers: int = 2) -> Outcome:
    """SIGKILL to the supervisor: its workers finish what they have accepted, and end."""
    every, left = Load(), 0
    for _ in range(times):
        with serving(model, workers=workers) as server, load(server.url, CLIENTS) as asked:
            wait_for(f"all {workers} workers answer;", server)
            asked.wait_for_more(50)
            members = children(server.process.pid)
            server.process.kill()
            deadline = time.monotonic() + DEADLINE
            while any(map(alive, members)) and time.monotonic() < deadline:
                time.sleep(0.01)
            left += sum(map(alive, members))
        every.add(asked)
    broken = [f"{left} workers outlived their supervisor"] if left else []
    return _judged(every, {"orphaned": times, "left": left}, broken)


def _felled(model: Path, times: int, workers: int, number: signal.Signals) -> Outcome:
    longest, most, broken = 0.0, 0, []
    with serving(model, workers=workers) as server, load(server.url, CLIENTS) as asked:
        wait_for(f"all {workers} workers answer;", server)
        for _ in range(times):
            lost, said = len(asked.lost), len(server.stderr)
            victim = children(server.process.pid)[0]  # the oldest
            began = time.monotonic()
            os.kill(victim, number)
            try:
                wait_for(" answers", server, said)
            finally:
                _kill(victim)  # which would be there for ever if it was only stopped
            longest = max(longest, time.monotonic() - began)
            asked.wait_for_more(CLIENTS)
            gone, heard = len(asked.lost) - lost, "".join(server.stderr[said:])
            # What it was answering. A busy machine may make another worker late, which is told of.
            if gone > CLIENTS * max(1, heard.count("another one starts")):
                broken.append(f"{gone} requests of {CLIENTS} clients lost at once: {heard}")
            most = max(most, gone)
            time.sleep(1)  # old enough not to be taken for one that dies young
    figures = {
        "felled": times, "answered": asked.answered, "lost": len(asked.lost),
        "lost_at_once": most, "longest_seconds": longest,
    }  # fmt: skip
    return Outcome(figures, broken)


def children(pid: int) -> list[int]:
    """Processes that it has forked and that live, the oldest first."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sorted((int(child) for child in listed if alive(int(child))), key=_started)


def alive(pid: int) -> bool:
    """Whether it runs, and is not only waiting to be buried."""
    try:
        return _stat(pid)[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(line: str, server: Server, said: int = 0) -> None:
    """Until the server has said it, since it had said so many lines."""
    deadline = time.monotonic() + DEADLINE
    while not any(line in text for text in server.stderr[said:]):
        assert time.monotonic() < deadline, "".join(server.stderr[-20:])
        time.sleep(0.005)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _started(pid: int) -> int:
    try:
        return int(_stat(pid)[19])
    except (FileNotFoundError, ProcessLookupError):  # it has just gone
        return 0


def _stat(pid: int) -> list[str]:
    """Its state, and what follows in /proc/PID/stat."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _judged(asked: Load, figures: dict[str, float], broken: list[str] | None = None) -> Outcome:
    """Nothing may be lost at all."""
    lost = [f"{count} times {what}" for what, count in asked.losses().items()]
    counted = {"answered": asked.answered, "refused": asked.refused, "lost": len(asked.lost)}
    return Outcome(figures | counted, [*(broken or []), *lost])
