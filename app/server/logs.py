"""The log of a server: lines on stderr."""

import logging
import sys

from app.talk import printable

_handler = logging.StreamHandler()


class _Lines(logging.Formatter):
    """One line for each message, and of a stack trace nothing that a terminal obeys."""

    def format(self, record: logging.LogRecord) -> str:
        """The message as one line, then the lines of the trace."""
        record.msg, record.args = printable(record.getMessage()), None
        return "\n".join(map(printable, super().format(record).split("\n")))


def set_up() -> None:
    """Log to stderr from now on."""
    _handler.setStream(sys.stderr)
    speak_as("")
    logging.basicConfig(level=logging.INFO, handlers=[_handler])
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


def speak_as(name: str) -> None:
    """Let every line say who writes it, where there are several."""
    _handler.setFormatter(_Lines(f"%(levelname)s {name}%(message)s"))
