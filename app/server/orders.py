"""How a process is told to end. Light: the supervisor of the workers imports it."""

from enum import IntEnum


class Stop(IntEnum):
    """From patient to hurried; a later order only ever makes it quicker.

    Attributes:
        NONE: go on.
        RETIRE: others accept from now on; answer what is there, then end.
        DRAIN: not ready any more; go on accepting for the drain time, then as FINISH.
        FINISH: accept nothing new, answer what was accepted within the time for that, then end.
        HURRY: the same within a second.
    """

    NONE = 0
    RETIRE = 1
    DRAIN = 2
    FINISH = 3
    HURRY = 4
