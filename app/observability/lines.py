"""Log lines: for people on a terminal, for programs elsewhere. Light: the supervisor imports it."""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from app.talk import printable

Format: TypeAlias = Literal["auto", "text", "json"]

_handler = logging.StreamHandler()


class TextLines(logging.Formatter):
    """One line for each message, and of a stack trace nothing that a terminal obeys."""

    def format(self, record: logging.LogRecord) -> str:
        """The message as one line, then the lines of the trace."""
        record.msg, record.args = printable(record.getMessage()), None
        return "\n".join(map(printable, super().format(record).split("\n")))


class JsonLines(logging.Formatter):
    """One object on one line for each message, its stack trace included."""

    def format(self, record: logging.LogRecord) -> str:
        """The message as an object on one line."""
        line: dict[str, str | int] = {
            "ts": timestamp(record.created),
            "level": record.levelname.lower(),
            "event": "message",
            "logger": record.name,
            "pid": os.getpid(),
            "message": printable(record.getMessage()),
        }
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            line["trace"] = "\n".join(map(printable, trace.split("\n")))
        return json.dumps(line)


def timestamp(seconds: float) -> str:
    """A time as RFC 3339 has it, in UTC. seconds: since 1970."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def is_json(wanted: Format) -> bool:
    """Whether lines are objects: where nobody says so, wherever stderr is no terminal."""
    if wanted == "auto":
        return sys.stderr is None or not sys.stderr.isatty()
    return wanted == "json"


def set_up(wanted: Format, level: str, speaker: str = "") -> None:
    """Log to stderr from now on, uvicorn's lines too.

    Args:
        wanted: the format.
        level: the least that is logged, `debug`, `info`, `warning` or `error`.
        speaker: what every text begins with, where there are several; objects have a `pid`.
    """
    _handler.setStream(sys.stderr)
    _handler.setFormatter(
        JsonLines() if is_json(wanted) else TextLines(f"%(levelname)s {speaker}%(message)s")
    )
    logging.basicConfig(level=level.upper(), handlers=[_handler], force=True)
    # uvicorn tells of every start and stop, which are told of here.
    quiet = max(logging.WARNING, logging.getLogger().level)
    logging.getLogger("uvicorn.error").setLevel(quiet)
