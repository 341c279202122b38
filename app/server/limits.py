"""What a connection may ask of the server before the application sees anything of it."""

import resource
from typing import NamedTuple

from app.settings import Settings

REFUSED = 16  # connections too many that are told so; those beyond them are cut
# Of the process beside connections: listeners, the loop, the log, model files while they are read.
_OWN_FILES = 36
_REST_OF_HEAD = 256  # method, version and ends of lines, with room
_CROWDED_SECONDS = 1.0


class Limits(NamedTuple):
    """Sizes in bytes, times in seconds."""

    header_bytes: int
    headers: int
    url_bytes: int
    silent_seconds: float  # before the first byte
    header_seconds: float
    body_seconds: float
    request_seconds: float
    write_seconds: float
    keep_alive_seconds: float
    connections: int
    backlog: int
    unsent_bytes: int
    linger_seconds: float = 2.0  # for a client that was refused to stop sending
    linger_bytes: int = 32 * 2**20  # that it may still send

    @property
    def unfinished_bytes(self) -> int:
        """That may arrive without finishing a head or bringing any of a body."""
        return self.header_bytes + self.url_bytes + _REST_OF_HEAD

    def when_crowded(self) -> "Limits":
        """With little patience for those who want nothing at the moment."""
        return self._replace(
            silent_seconds=min(self.silent_seconds, _CROWDED_SECONDS),
            keep_alive_seconds=min(self.keep_alive_seconds, _CROWDED_SECONDS),
        )


def limits_of(settings: Settings) -> Limits:
    """The limits of this process, which may have fewer file descriptors than were asked for."""
    return Limits(
        settings.max_header_bytes,
        settings.max_headers,
        settings.max_url_bytes,
        settings.header_seconds,
        settings.header_seconds,
        settings.body_seconds,
        settings.request_seconds,
        settings.write_seconds,
        settings.keep_alive_seconds,
        _affordable(settings.max_connections),
        settings.max_backlog,
        settings.max_unsent_bytes,
    )


def _affordable(connections: int) -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return connections
    return max(1, min(connections, files - REFUSED - _OWN_FILES))
