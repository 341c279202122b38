"""Keeps as many workers answering as there should be, and ends when told to.

One loop, in which nothing waits but the loop itself: so the latest signal is always heeded. What is
to be done follows from what there is, so that reloads need no queue and a fault at any moment, as a
worker that dies while others are exchanged, no case of its own.
"""

import logging
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable

from app import exit_codes
from app.server.crew import Member, State, Work, hire
from app.server.listening import url_of
from app.server.orders import Stop
from app.server.patience import Patience
from app.server.seats import Seat, shared_memory
from app.server.signals import Signals
from app.settings import Settings
from app.talk import say

log = logging.getLogger("softlens")

_TURN_SECONDS = 0.25  # the longest sleep; whatever matters wakes it before
_HUNG_SECONDS = 5.0  # without a beat of a worker
_HURRY_SECONDS = 1.0
_SPARE_SECONDS = 2.0  # for a worker to end after its time is over


class Supervisor:
    """Of `settings.workers` processes that do `work` on one listening socket."""

    def __init__(
        self,
        settings: Settings,
        listener: socket.socket,
        work: Work,
        announce: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.listener = listener
        self.work = work
        self.announce = announce
        self.members: list[Member] = []
        self.patience = Patience()
        self.ordered = Stop.NONE
        self.latest = float("inf")  # monotonic, when whoever is left is killed
        self.generation = 0  # how many reloads have been asked for
        self.reloaded = 0  # how many of them have been made, or given up
        self.announced = False
        self.complete = False  # whether there have been as many workers as there should be
        self.code = exit_codes.OK
        slots = 2 * settings.workers
        memory = shared_memory(slots)
        self.seats = [Seat(slot, slots, memory) for slot in range(slots)]
        self.selector = selectors.PollSelector()  # without a descriptor that workers would inherit
        self.signals = Signals()

    def run(self) -> int:
        """Until everything has ended; returns the exit code."""
        self.selector.register(self.signals.sockets[0], selectors.EVENT_READ)
        with self.signals:
            while self.members or not self.ordered:
                self._steer()
                self._sleep()
                self._heed_signals()
                self._listen_to_members()
                self._bury()
                self._kill_silent()
        return self.code

    def stop(self, stop: Stop) -> None:
        """End; of several orders the most hurried one counts."""
        limit = _HURRY_SECONDS if stop == Stop.HURRY else self.settings.shutdown_seconds
        drain = self.settings.drain_seconds if stop == Stop.DRAIN else 0.0
        self.latest = min(self.latest, time.monotonic() + drain + limit + _SPARE_SECONDS)
        self.ordered = max(self.ordered, stop)
        self.listener.close()  # the workers have it, and close it when they accept no more
        for member in self.members:  # also one that starts: it may have accepted something already
            member.order(self.ordered)

    def _steer(self) -> None:
        """Take a step towards as many workers as there should be, all of the latest generation."""
        if self.ordered:
            if time.monotonic() >= self.latest:
                self._give_up_waiting()
            return
        wanted = self.settings.workers
        serving, starting = self._all(State.SERVING), self._all(State.STARTING)
        while len(serving) > wanted:
            surplus = min(serving, key=_age)
            surplus.enter(State.RETIRING)
            surplus.order(Stop.RETIRE)
            serving.remove(surplus)
        outdated = any(m.leaving or m.generation < self.generation for m in serving)
        missing = wanted - len(serving) - len(starting)
        if missing > 0 and self.patience.over():
            for _ in range(missing):
                self._hire()
        elif outdated and not starting:
            self._hire()
        elif self.reloaded < self.generation and len(serving) == wanted and not starting:
            self.reloaded = self.generation
            log.info("every worker is new")

    def _all(self, state: State) -> list[Member]:
        return [member for member in self.members if member.state is state]

    def _hire(self) -> None:
        taken = {member.seat.slot for member in self.members}
        seat = next((seat for seat in self.seats if seat.slot not in taken), None)
        if seat is None:
            return  # until one that retires has ended
        announcing, self.announced = not self.announced, True
        ours = [*self.signals.sockets, *(member.channel for member in self.members)]
        member = hire(self.work, seat, self.generation, announcing, ours)
        self.members.append(member)
        self.selector.register(member.channel, selectors.EVENT_READ)

    def _sleep(self) -> None:
        before = time.monotonic()
        self.selector.select(min(_TURN_SECONDS, self.patience.left() or _TURN_SECONDS))
        if time.monotonic() - before > _TURN_SECONDS + 1:
            for member in self.members:  # it was us who slept, perhaps with the whole machine
                member.heard = time.monotonic()

    def _heed_signals(self) -> None:
        for number in self.signals.take():
            if number == signal.SIGHUP:
                self.generation += 1
            elif self.ordered:
                self.stop(Stop.HURRY)
            else:
                self.stop(Stop.FINISH if number == signal.SIGINT else Stop.DRAIN)
            if number == signal.SIGINT:
                self.code = exit_codes.INTERRUPTED

    def _listen_to_members(self) -> None:
        for member in self.members:
            for message in member.messages():
                kind, _, text = message.partition(" ")
                if kind == "ready":
                    self._welcome(member)
                elif kind == "leave":
                    member.leaving = True
                elif kind == "failed":
                    member.failure = text

    def _welcome(self, member: Member) -> None:
        member.enter(State.SERVING)
        if self.ordered:
            member.order(self.ordered)
        if self.complete:
            log.info("worker %d (pid %d) answers", member.seat.slot, member.pid)
        elif len(self._all(State.SERVING)) == self.settings.workers:
            self.complete = True
            threads = os.environ.get("OPENBLAS_NUM_THREADS")
            log.info("all %d workers answer; BLAS threads of each: %s", len(self.members), threads)
        self.patience.started()
        if member.announcing and not self.ordered:
            self.announce(url_of(self.listener))

    def _bury(self) -> None:
        for member in list(self.members):
            status = member.status()
            if status is not None:
                self.members.remove(member)
                self.selector.unregister(member.channel)
                member.channel.close()
                if not self.ordered and member.state is not State.RETIRING:
                    self._mourn(member, status)

    def _mourn(self, member: Member, status: int) -> None:
        """A worker ended that should not have: try again, keep the old ones, or give up."""
        how = f"by {signal.Signals(-status).name}" if status < 0 else f"with exit code {status}"
        reason = member.failure or f"worker {member.seat.slot} (pid {member.pid}) ended {how}"
        if member.announcing and member.state is State.STARTING:
            self.announced = False  # nobody has heard of it
        serving = self._all(State.SERVING)
        if not self.patience.ever_started:
            self._fail(reason, status)
        elif member.state is State.STARTING and len(serving) >= self.settings.workers:
            log.error("%s; the workers that are there go on, without a reload", reason)
            for other in serving:
                other.generation, other.leaving = self.generation, False
            self.reloaded = self.generation
        else:
            delay = self.patience.lost(member.state is State.SERVING, member.since)
            if not serving and self.patience.exhausted():
                self._fail(f"workers keep ending; the last one: {reason}", status)
                return
            log.error("%s; another one starts%s", reason, f" in {delay:g} s" if delay else "")

    def _fail(self, reason: str, status: int) -> None:
        say(f"softlens: {reason}")
        self.code = status if status > 0 else exit_codes.UNEXPECTED
        self.stop(Stop.HURRY)

    def _kill_silent(self) -> None:
        now = time.monotonic()
        for member in self.members:
            if now - member.heard > _HUNG_SECONDS:
                slot = member.seat.slot
                log.error("worker %d has been silent for %g s: killed", slot, _HUNG_SECONDS)
                member.heard = now
                member.kill()

    def _give_up_waiting(self) -> None:
        log.error("killed %d workers that did not end in time", len(self.members))
        for member in self.members:
            member.kill()
        self.latest = float("inf")


def _age(member: Member) -> tuple[bool, int, float]:
    """Sorts those first that are to go first."""
    return not member.leaving, member.generation, member.since
