"""Start, serve, stop: one process, exit code included."""

import contextlib
import difflib
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Generator
from functools import partial
from types import FrameType

import uvicorn
from pydantic import ValidationError

from app import exit_codes, failures
from app.failures import StartError
from app.main import Application, create_app
from app.observability import lines, traces
from app.repository.watch import Calls, watching
from app.server.connections import Connections
from app.server.limits import limits_of
from app.server.protocol import Protocol
from app.settings import PREFIX, Settings, explain, from_platform
from app.talk import say
from model import ModelError

log = logging.getLogger("softlens")

_STDERR = 2


class Server(uvicorn.Server):
    """uvicorn's, which also says when it is ready, and for which being asked to stop is no failure.

    uvicorn ends by raising the signal again, so the process would report that it was killed.
    """

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = ready
        self.interrupted = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and only then say so: from here on requests and signals are handled."""
        await super().startup(sockets)
        self.ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Note a Ctrl-C and forget the signals once everything accepted is answered."""
        with super().capture_signals():
            try:
                yield
            finally:
                self.interrupted = signal.SIGINT in self._captured_signals
                self._captured_signals.clear()


def serve(flags: dict[str, object], announce: Callable[[str], None] = lambda url: None) -> int:
    """Serve until a signal ends it.

    Args:
        flags: settings given on the command line; they win over the environment.
        announce: called with the address once requests are welcome.

    Returns:
        The exit code: 0 after SIGTERM, 130 after Ctrl-C, otherwise why it could not start.
    """
    try:
        flags = from_platform(os.environ) | flags
        return _serve(Settings(**flags), announce)  # type: ignore[arg-type]  # pydantic judges them
    except ValidationError as error:
        return _refuse(explain(error), exit_codes.CONFIGURATION)
    except (StartError, ModelError, OSError) as error:
        return _refuse(*failures.explain(error))


def _serve(settings: Settings, announce: Callable[[str], None]) -> int:
    lines.set_up(settings.log_format, settings.log_level)
    _warn_of_typos()
    calls = Calls()
    _reload_on_hangup(calls)
    with _listen(settings.host, settings.port) as listener:
        app = create_app(settings)
        connections = Connections(limits_of(settings), app.meter.refused)
        config = uvicorn.Config(
            app,
            http=partial(Protocol, connections),  # type: ignore[arg-type]  # called as one
            log_config=None,
            ws="none",
            access_log=False,
            server_header=False,
            # In which FastAPI sets OpenTelemetry up, where the environment asks for it.
            lifespan="on" if traces.are_wanted() else "off",
            timeout_graceful_shutdown=settings.shutdown_seconds,
        )
        # What was loaded stays: the collector need not walk over it again and again. Models that
        # come later are few objects, and freezing would keep the garbage of requests for ever.
        gc.collect()
        gc.freeze()

        server = Server(config, lambda: _welcome(app, listener, announce))
        with watching(app.service.repository, settings.reload_seconds, calls):
            server.run(sockets=[listener])
        app.meter.close()
    return exit_codes.INTERRUPTED if server.interrupted else 0


def _reload_on_hangup(calls: Calls) -> None:
    """Look for new models on SIGHUP; but when the terminal has gone, go with it."""
    at_terminal = os.isatty(_STDERR)

    def hang_up(_number: int, _frame: FrameType | None) -> None:
        if at_terminal and not os.isatty(_STDERR):
            signal.raise_signal(signal.SIGTERM)
        calls.put(True)

    signal.signal(signal.SIGHUP, hang_up)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, before anything is loaded: a taken port ends the start at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, backlog=2048, dualstack_ipv6=both)
    except PermissionError:
        raise StartError(
            f"port {port} needs privileges; choose one above 1023", exit_codes.UNAVAILABLE
        ) from None
    except (TypeError, UnicodeError):  # what Python makes of a name beyond IDNA
        raise StartError(
            f"cannot listen on {host:.80}:{port}: no name that a host can have",
            exit_codes.UNAVAILABLE,
        ) from None
    except OSError as error:
        # asyncio's own text repeats the address; a name that is not found has no errno.
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else str(error.strerror).partition(" (")[0]
        raise StartError(
            f"cannot listen on {host}:{port}: {reason}", exit_codes.UNAVAILABLE
        ) from None


def _welcome(app: Application, listener: socket.socket, announce: Callable[[str], None]) -> None:
    repository = app.service.repository
    default = repository.default
    for name, version, _ in repository.all():
        if (name, version) != (default.name, default.version):
            log.info(
                "serving %s version %s under /models/%s/versions/%s", name, version, name, version
            )
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    log.info("serving %s version %s on %s", default.name, default.version, url)
    announce(url)


def _warn_of_typos() -> None:
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name in os.environ:
        # Kubernetes sets SOFTLENS_SERVICE_... and SOFTLENS_PORT_... for a Service called softlens.
        linked = name.startswith((f"{PREFIX}SERVICE_", f"{PREFIX}PORT_"))
        if name.startswith(PREFIX) and name not in known and not linked:
            close = difflib.get_close_matches(name, known, n=1)
            log.warning(
                "unknown setting %s%s", name, f"; did you mean {close[0]}?" if close else ""
            )


def _refuse(reason: str, exit_code: int) -> int:
    say(f"softlens: {reason}")
    return exit_code
