"""Numbers that every worker of a server counts in, and that whoever is asked adds up.

Memory that all workers share holds a slot for each. A slot is written by one process, and there by
one thread for each number, so that nothing waits and no count is lost. It begins with gauges, of
the process that sits there now, which are set to 0 when it takes the slot; all others only ever
grow, and the next process in the slot goes on where a dead one stopped. So sums are right at any
time, and never go back.

Light: the supervisor of the workers imports it.
"""

import mmap
import os

# Of one slot; layout.py refuses to start where that would not do. Untouched pages take no memory.
SLOT_BYTES = 512 * 1024
NUMBERS = SLOT_BYTES // 8

# The gauges, by their place in a slot.
PROCESS, DRAINING, QUEUED = range(3)
GAUGES = 8


class Board:
    """One slot to write to, and all of them to read.

    Attributes:
        numbers: of this process's slot; whoever writes one owns it.
    """

    def __init__(self, memory: mmap.mmap, slot: int) -> None:
        everything = memoryview(memory).cast("d")
        self._slots = [
            everything[start : start + NUMBERS] for start in range(0, len(everything), NUMBERS)
        ]
        self.numbers = self._slots[slot]
        self.numbers[:GAUGES] = memoryview(bytes(8 * GAUGES)).cast("d")
        self.numbers[PROCESS] = os.getpid()

    @property
    def supervised(self) -> bool:
        """Whether there are several workers, children of one supervisor."""
        return len(self._slots) > 1

    def slots(self) -> list["memoryview[float]"]:
        """The numbers of every slot."""
        return self._slots

    def live(self) -> list["memoryview[float]"]:
        """Those of the slots in which a process sits that is alive."""
        return [slot for slot in self._slots if _is_alive(int(slot[PROCESS]))]


def open_board(memory: mmap.mmap | None = None, slot: int = 0) -> Board:
    """The board of a server.

    Args:
        memory: that its workers share, SLOT_BYTES for each slot; none for a process that is alone.
        slot: of this process. Nobody else who lives has it.
    """
    return Board(mmap.mmap(-1, SLOT_BYTES) if memory is None else memory, slot)


def _is_alive(process: int) -> bool:
    if process == 0:
        return False
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True
