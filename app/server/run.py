"""Start, serve, stop: exit code included. NumPy and FastAPI are imported only where they answer."""

import difflib
import logging
import os
from collections.abc import Callable
from socket import socket

from pydantic import ValidationError

from app import exit_codes, failures
from app.failures import StartError
from app.interrupts import leaving_at_once
from app.observability import lines
from app.server.crew import Place
from app.server.listening import listen
from app.server.supervisor import Supervisor
from app.settings import PREFIX, Settings, explain, from_platform
from app.talk import say

log = logging.getLogger("softlens")


def serve(flags: dict[str, object], announce: Callable[[str], None] = lambda url: None) -> int:
    """Serve until a signal ends it.

    Args:
        flags: settings given on the command line; they win over the environment.
        announce: called with the address once requests are welcome.

    Returns:
        The exit code: 0 after SIGTERM, 130 after Ctrl-C, otherwise why it could not start.
    """
    try:
        given = from_platform(os.environ) | flags
        settings = Settings(**given)  # type: ignore[arg-type]  # pydantic judges them
        lines.set_up(settings.log_format, settings.log_level)
        _tell_of_conflicts(flags)
        _warn_of_typos()
        with listen(settings.host, settings.port) as listener:
            _set_threads(settings.workers)
            if settings.workers == 1:
                return _serve_alone(settings, listener, announce)
            return _supervise(settings, listener, announce)
    except ValidationError as error:
        return _refuse(explain(error), exit_codes.CONFIGURATION)
    except (StartError, OSError) as error:
        return _refuse(*failures.explain(error))


def _serve_alone(settings: Settings, listener: socket, announce: Callable[[str], None]) -> int:
    with leaving_at_once():
        from app.server.answering import answer_alone  # noqa: PLC0415  see the module
        from model import ModelError  # noqa: PLC0415
    try:
        return answer_alone(settings, listener, announce)
    except ModelError as error:
        return _refuse(*failures.explain(error))


def _supervise(settings: Settings, listener: socket, announce: Callable[[str], None]) -> int:
    def work(place: Place) -> int:
        from app.server.worker import work  # noqa: PLC0415  only in the process that answers

        return work(settings, listener, place)

    return Supervisor(settings, listener, work, announce).run()


def _set_threads(workers: int) -> None:
    """Share the processors among the workers; must come before NumPy is imported.

    The threads of a lone server would only get in each other's way: its batches are small.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    share = 1 if workers == 1 else max(1, (cores or 1) // workers)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(share))


def _tell_of_conflicts(flags: dict[str, object]) -> None:
    for setting, value in flags.items():
        name = f"{PREFIX}{setting.upper()}"
        if os.environ.get(name, str(value)) not in {"", str(value)}:
            log.info("%s is set otherwise, but the command line wins", name)


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
