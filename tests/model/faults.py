"""Failures planted where a program meets the system: in this process, or by strace."""

import errno
import fcntl
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from tests.serving import DEADLINE, environment

CALLS = [
    (io, "open"), (fcntl, "flock"),
    *((os, name) for name in (
        "open", "close", "fsync", "fstat", "stat", "lstat", "scandir", "chmod", "rename", "replace",
        "unlink", "truncate", "write",
    )),
]  # fmt: skip


class Faults:
    """Lets the n-th of all calls fail, and all after it where the trouble lasts."""

    def __init__(self, nth: int, *, lasting: bool) -> None:
        self.nth = nth
        self.lasting = lasting
        self.calls = 0

    @property
    def struck(self) -> bool:
        """Whether there was an n-th call."""
        return self.calls >= self.nth

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Until the block ends."""
        with pytest.MonkeyPatch.context() as patch:
            for module, name in CALLS:
                patch.setattr(module, name, self._around(getattr(module, name)))
            yield

    def _around(self, real: Callable[..., Any]) -> Callable[..., Any]:  # Any: as the real one
        def call(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == self.nth or (self.lasting and self.struck):
                raise OSError(errno.EIO, "planted")
            return real(*arguments, **named)

        return call


class Call(NamedTuple):
    """One call that a program makes to the system."""

    name: str
    nth: int  # of its name since the program started


class Traced(NamedTuple):
    """A program as strace saw it."""

    printed: str
    code: int
    calls: list[Call]  # after it looked for /begin and before it looked for /end
    struck: bool  # a fault was planted there


class Program(NamedTuple):
    """A program to be run under strace; it looks for /begin, does what counts, looks for /end."""

    source: str
    arguments: tuple[str, ...]
    flags: tuple[str, ...] = ()  # of Python

    def run(self, watched: str, *plan: str) -> Traced:
        """Run it once.

        Args:
            watched: names of calls, with commas between.
            plan: arguments of strace that plant a fault.
        """
        strace = shutil.which("strace")
        if strace is None:
            pytest.skip("needs strace, to let calls fail in the system itself")
        done = subprocess.run(
            [
                strace, "-qq", "-e", f"trace={watched},access", *plan, "-o", "/dev/fd/2",
                sys.executable, *self.flags, "-c", self.source, *self.arguments,
            ],
            capture_output=True, text=True, check=False, timeout=DEADLINE,
            # The same calls in every run, so that they can be counted.
            env=environment() | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        if "PTRACE_TRACEME" in done.stderr:
            pytest.skip("needs the right to trace a process, for strace")
        return _read(done)


def _read(done: subprocess.CompletedProcess[str]) -> Traced:
    before, begin, rest = done.stderr.partition('access("/begin"')
    assert begin, done.stderr[-2000:]
    during = rest.partition('access("/end"')[0]
    counts: dict[str, int] = {}
    for name in re.findall(r"^(\w+)\(", before, re.M):
        counts[name] = counts.get(name, 0) + 1
    calls = []
    for name in re.findall(r"^(\w+)\(", during, re.M):
        counts[name] = counts.get(name, 0) + 1
        calls.append(Call(name, counts[name]))
    return Traced(done.stdout, done.returncode, calls, "INJECTED" in during)
