"""Signals for a loop: one that comes wakes it, and is read when the loop is ready for it."""

import contextlib
import os
import signal
import socket
from types import FrameType

_STDERR = 2
_HEEDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_WAKING = (*_HEEDED, signal.SIGCHLD)


class Signals:
    """Those that have come and have not been taken yet. A context, in which they are caught."""

    def __init__(self) -> None:
        self.sockets = socket.socketpair()  # to wait for, and for the interpreter to wake with
        self._came: list[signal.Signals] = []
        self._before: list[tuple[int, signal._HANDLER]] = []
        self._at_terminal = os.isatty(_STDERR)

    def __enter__(self) -> "Signals":
        for end in self.sockets:
            end.setblocking(False)
        self._before = [(number, signal.signal(number, self._note)) for number in _WAKING]
        signal.set_wakeup_fd(self.sockets[1].fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *_error: object) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before:
            signal.signal(number, handler)
        for end in self.sockets:
            end.close()

    def take(self) -> list[signal.Signals]:
        """Those that came since the last time, in order.

        A SIGHUP that tells that the terminal has gone is a SIGTERM.
        """
        with contextlib.suppress(BlockingIOError):
            self.sockets[0].recv(4096)
        came, self._came = self._came, []
        gone = self._at_terminal and not os.isatty(_STDERR)
        return [signal.SIGTERM if gone and one == signal.SIGHUP else one for one in came]

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number in _HEEDED:
            self._came.append(signal.Signals(number))
