"""One of several processes that answer; a supervisor has forked it and watches over it."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Generator
from socket import socket

import uvicorn

from app import exit_codes
from app.failures import StartError, explain
from app.life import Life
from app.observability import lines
from app.repository.watch import Calls
from app.server.answering import config_of, ending_of, prepare, run, tell_models
from app.server.crew import BEAT_SECONDS, Place, tell
from app.server.orders import Stop
from app.server.stopping import Ending, Server
from app.settings import Settings
from model import ModelError


class Worker(Server):
    """Tells the supervisor how it is, and obeys it."""

    def __init__(
        self,
        config: uvicorn.Config,
        life: Life,
        ending: Ending,
        ready: Callable[[], None],
        place: Place,
    ) -> None:
        super().__init__(config, life, ending, ready)
        self.channel = place.channel
        self.begun = place.started

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start, say so, and go on saying so for as long as the loop turns."""
        self._obey()
        if self.ordered:
            return  # before anything was accepted
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self.begun.set()
        tell(self.channel, "ready")
        self._beat()

    async def on_tick(self, counter: int) -> bool:
        """Look for orders, ten times a second.

        The loop would not tell that the supervisor was killed before it had read everything: libuv
        stops to watch a socket that is in error.
        """
        self._obey()
        return await super().on_tick(counter)

    def _beat(self) -> None:
        tell(self.channel, "beat")
        self._loop.call_later(BEAT_SECONDS, self._beat)

    def _obey(self) -> None:
        """Take the orders that have come; a supervisor that is gone is one, too."""
        try:
            orders = self.channel.recv(64)
        except BlockingIOError:
            return
        except ConnectionError:
            orders = b""
        self.order(Stop(max(orders, default=Stop.DRAIN)))

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Ask the supervisor for a replacement at SIGTERM, rather than leave a gap."""
        signal.signal(signal.SIGTERM, lambda *_: tell(self.channel, "leave"))
        yield


def work(settings: Settings, listener: socket, place: Place) -> int:
    """Answer as one of several, all of which accept from `listener`; returns the exit code."""
    if not place.announcing:
        logging.getLogger().setLevel(logging.ERROR)
    calls = Calls()
    signal.signal(signal.SIGHUP, lambda *_: calls.put(True))
    try:
        app = prepare(settings, place.seat)
    except (ModelError, StartError, OSError) as error:
        line, code = explain(error)
        tell(place.channel, f"failed {line}")
        return code

    def ready() -> None:
        if place.announcing:
            tell_models(app, listener, settings)
        lines.set_up(settings.log_format, settings.log_level, f"worker {place.seat.slot}: ")

    life = app.service.life
    server = Worker(config_of(app, settings), life, ending_of(settings), ready, place)
    run(server, app, listener, settings, calls)
    return exit_codes.OK
