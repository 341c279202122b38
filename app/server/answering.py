"""The process that answers: its models loaded, its server running, its folder watched."""

import gc
import logging
import os
import signal
from collections.abc import Callable
from functools import partial
from socket import socket
from types import FrameType

import uvicorn
from starlette.types import Receive, Scope, Send

from app import exit_codes
from app.calls import id_of
from app.codecs import answers
from app.entrance import surface_of
from app.errors import ShuttingDownError, describe
from app.main import Application, create_app
from app.observability import traces
from app.observability.board import open_board
from app.repository.watch import Calls, watching
from app.security import tell_what_is_open
from app.server.connections import Connections
from app.server.limits import limits_of
from app.server.listening import url_of
from app.server.protocol import Protocol
from app.server.seats import Seat
from app.server.stopping import Ending, Server
from app.settings import Settings

log = logging.getLogger("softlens")

_STDERR = 2


def answer_alone(settings: Settings, listener: socket, announce: Callable[[str], None]) -> int:
    """Serve as the only process; returns its exit code.

    Raises:
        ModelError, OSError: no model can be served.
    """
    calls = Calls()
    on_hangup(lambda: calls.put(True), lambda: signal.raise_signal(signal.SIGTERM))
    app = prepare(settings, Seat.only())

    def ready() -> None:
        tell_models(app, listener, settings)
        announce(url_of(listener))

    server = Server(config_of(app, settings), app.service.life, ending_of(settings), ready)
    run(server, app, listener, settings, calls)
    return exit_codes.INTERRUPTED if server.interrupted else exit_codes.OK


def prepare(settings: Settings, seat: Seat) -> Application:
    """The app, its models loaded.

    Raises:
        ModelError, OSError: none of them can be served.
    """
    app = create_app(settings, open_board(seat.shared, seat.slot))
    app.service.life.told = app.meter.set_draining
    # What was loaded stays: the collector need not walk over it again and again. Models that
    # come later are few objects, and freezing would keep the garbage of requests for ever.
    gc.collect()
    gc.freeze()
    return app


def config_of(app: Application, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves it."""
    connections = Connections(limits_of(settings), app.meter, app.service.life)
    app.service.admission.backlog = connections.backlog
    return uvicorn.Config(
        app.entry,
        interface="asgi3",  # uvicorn does not see that of a method
        http=partial(Protocol, connections),  # type: ignore[arg-type]  # called as one
        log_config=None,
        ws="none",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who asks, and how he came here, decides nothing
        # In which FastAPI sets OpenTelemetry up, where the environment asks for it.
        lifespan="on" if traces.are_wanted() else "off",
    )


def ending_of(settings: Settings) -> Ending:
    """How it stops."""

    async def cut(scope: Scope, receive: Receive, send: Send) -> None:
        error = ShuttingDownError(
            f"the server stops and waits no longer than {settings.shutdown_seconds} s for a request"
        )
        name = id_of(scope["headers"])
        await answers.refusal(describe(error), scope["path"], name)(scope, receive, send)

    return Ending(settings.drain_seconds, settings.shutdown_seconds, cut)


def run(
    server: Server, app: Application, listener: socket, settings: Settings, calls: Calls
) -> None:
    """Answer until the server has been told to stop and has done so; closes the listener."""
    with watching(app.service.repository, settings.reload_seconds, calls):
        server.run(sockets=[listener])
    app.meter.close()


def on_hangup(look: Callable[[], None], end: Callable[[], None]) -> None:
    """At SIGHUP look for new things; but when the terminal has gone, go with it."""
    at_terminal = os.isatty(_STDERR)

    def hang_up(_number: int, _frame: FrameType | None) -> None:
        (end if at_terminal and not os.isatty(_STDERR) else look)()

    signal.signal(signal.SIGHUP, hang_up)


def tell_models(app: Application, listener: socket, settings: Settings) -> None:
    """Log what is open, and what is served and where, the default model last."""
    tell_what_is_open(surface_of(settings), app.guard.keys)
    repository = app.service.repository
    default = repository.default
    for one in repository.all():
        if one is not default:
            place = (one.name, one.version)
            log.info("serving %s version %s under /models/%s/versions/%s", *place, *place)
    log.info("serving %s version %s on %s", default.name, default.version, url_of(listener))
