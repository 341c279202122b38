"""Where a process sits among those of its server."""

import mmap
from typing import NamedTuple

from app.observability.board import SLOT_BYTES


class Seat(NamedTuple):
    """A slot, and memory that every process of the server sees.

    A new worker and the one that it replaces never have the same slot at the same time. Who sits in
    a slot writes to its part of the memory alone; it keeps what earlier ones have written there.
    """

    slot: int  # 0 to slots - 1
    slots: int
    shared: mmap.mmap  # slots * SLOT_BYTES, zero when the server starts

    @classmethod
    def only(cls) -> "Seat":
        """That of a process which serves alone."""
        return cls(0, 1, shared_memory(1))


def shared_memory(slots: int) -> mmap.mmap:
    """Anonymous memory that processes share which are forked later."""
    return mmap.mmap(-1, slots * SLOT_BYTES)
