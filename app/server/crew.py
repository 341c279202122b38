"""Processes that a supervisor forks, and the channel to each of them.

Forked and not started anew: what is inherited needs no name, and half of the imports are done.
Nothing may have started a thread before.
"""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeAlias

from app import exit_codes
from app.server.orders import Stop
from app.server.seats import Seat


class Place(NamedTuple):
    """What a worker is given."""

    seat: Seat
    channel: socket.socket  # to the supervisor
    announcing: bool  # whether it is to log what it serves; the others would only repeat it
    started: threading.Event  # to be set when it begins to send beats of its own


BEAT_SECONDS = 1.0  # from one sign of life of a worker to the next

Work: TypeAlias = Callable[[Place], int]  # returns the exit code


class State(Enum):
    """What a worker is doing."""

    STARTING = "starting"
    SERVING = "serving"
    RETIRING = "retiring"


@dataclass
class Member:
    """A worker, as its supervisor sees it."""

    seat: Seat
    pid: int
    channel: socket.socket
    generation: int  # how many reloads had been asked for when it was started
    announcing: bool
    state: State = State.STARTING
    leaving: bool = False  # it was told to end, by somebody else
    failure: str = ""  # why it could not start
    since: float = field(default_factory=time.monotonic)  # in its state
    heard: float = field(default_factory=time.monotonic)  # from it, the last time
    _rest: bytes = b""

    def enter(self, state: State) -> None:
        """Note that it does something else now."""
        self.state, self.since = state, time.monotonic()

    def order(self, stop: Stop) -> None:
        """Tell it to end. One that is dead, or does not read, need not hear it."""
        with contextlib.suppress(OSError):
            self.channel.send(bytes([stop]))

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def messages(self) -> Iterable[str]:
        """What it has said since the last time."""
        with contextlib.suppress(OSError):
            while data := self.channel.recv(4096):
                self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        if lines:
            self.heard = time.monotonic()
        return [line.decode(errors="replace") for line in lines]

    def status(self) -> int | None:
        """None while it lives; then its exit code, or the number of a signal with a minus."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None


def hire(
    work: Work, seat: Seat, generation: int, announcing: bool, inherited: Iterable[socket.socket]
) -> Member:
    """Fork a worker.

    Args:
        work: what it does.
        seat: that is free.
        generation: to note.
        announcing: whether it is to log what it serves.
        inherited: what belongs to the supervisor alone. An end of somebody else's channel that was
            left open here would hide from that one that the supervisor is gone.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    pid = os.fork()
    if pid:
        theirs.close()
        return Member(seat, pid, ours, generation, announcing)
    _become_worker([ours, *inherited])
    code = exit_codes.UNEXPECTED
    try:
        started = threading.Event()
        threading.Thread(target=_beat, args=(theirs, started), daemon=True).start()
        code = work(Place(seat, theirs, announcing, started))
    except BaseException:  # anything that escaped would go on as a second supervisor
        import logging  # noqa: PLC0415

        logging.getLogger("softlens").exception("a worker failed")
    finally:
        os._exit(code)


def _become_worker(inherited: Iterable[socket.socket]) -> None:
    """Leave behind what is the supervisor's: its signals, its terminal and its sockets."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # nothing to lose until it answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor tells
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.setsid()  # what is typed at the terminal is for the supervisor
    for channel in inherited:
        channel.close()


def _beat(channel: socket.socket, started: threading.Event) -> None:
    """Tell that the process lives while it has no event loop yet to tell it."""
    while not started.wait(BEAT_SECONDS):
        tell(channel, "beat")


def tell(channel: socket.socket, message: str) -> None:
    """Send the supervisor a line. That it does not listen must not stop the worker."""
    with contextlib.suppress(OSError):
        channel.send(message.replace("\n", " ").encode() + b"\n")
