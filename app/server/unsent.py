"""Answers that are in memory until their clients take them, of all connections of one server.

Each client has its time to take an answer, so that many of them together could hold any amount.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

_EXPECTED = 2**20  # bytes that a client of whom nothing is known yet takes in a second


class Waiting(Protocol):
    """A transport that has not sent everything."""

    def get_write_buffer_size(self) -> int:
        """Bytes that are left to send."""

    def abort(self) -> None:
        """Close it, whatever is left."""


@dataclass
class _Answer:
    size: int = 0  # bytes, all of which stay in memory until the last is sent
    left: int = 0  # bytes that were not sent at once
    since: float = field(default_factory=time.monotonic)


class Unsent:
    """Bounds them: where there are too many bytes, who takes his most slowly loses it."""

    def __init__(self, most: int, told: Callable[[str], None]) -> None:
        """Bound them.

        Args:
            most: bytes that may wait. One answer alone may always.
            told: why an answer was cut, `memory` or `slow`.
        """
        self._most = most
        self._told = told
        self._answers: dict[Waiting, _Answer] = {}
        self._bytes = 0

    def add(self, transport: Waiting, size: int) -> None:
        """Note so many more bytes, of which some are left to send; and make room for them."""
        answer = self._answers.setdefault(transport, _Answer())
        answer.size += size
        answer.left = answer.left or transport.get_write_buffer_size()
        self._bytes += size
        while self._bytes > self._most and len(self._answers) > 1:
            self.cut(min(self._answers, key=self._pace), "memory")

    def remove(self, transport: Waiting) -> None:
        """All of it is sent, or nobody is there any more."""
        answer = self._answers.pop(transport, None)
        self._bytes -= answer.size if answer else 0

    def cut(self, transport: Waiting, reason: str) -> None:
        """Give an answer up in the middle of it."""
        self.remove(transport)
        transport.abort()
        self._told(reason)

    def _pace(self, transport: Waiting) -> tuple[float, int]:
        """Bytes a second that the client takes, as if it had done as expected for one before."""
        answer = self._answers[transport]
        age = time.monotonic() - answer.since
        taken = answer.left - transport.get_write_buffer_size()
        return (taken + _EXPECTED) / (age + 1), -answer.size
