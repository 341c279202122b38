"""From settings to who is let in: keys, names of this host, and origins of pages."""

from fastapi import FastAPI

from app.security import Guard, Hosts, KeyRing, Surface, is_loopback, key_ring, loopback_hosts
from app.settings import Settings
from app.settings.access import listed
from app.sharing import Sharing

# What pages of other origins may read and send beside what every page may.
_EXPOSED = ("x-request-id", "inference-header-content-length", "retry-after")
_ALLOWED = (
    "authorization", "content-type", "inference-header-content-length", "traceparent",
    "x-api-key", "x-request-id",
)  # fmt: skip


def keys_of(settings: Settings) -> KeyRing | None:
    """The keys that are set; None where none are.

    Raises:
        StartError: they are of no use.
    """
    return key_ring(settings.keys.get_secret_value() if settings.keys else "", settings.keys_file)


def guard_of(settings: Settings) -> Guard:
    """What every request must pass.

    Raises:
        StartError: the keys are of no use.
    """
    return Guard(_hosts(settings), keys_of(settings), open_metrics=settings.open_metrics)


def surface_of(settings: Settings) -> Surface:
    """What answers, to be told at start."""
    return Surface(settings.host, settings.debug, settings.model_control, settings.open_metrics)


def share(app: FastAPI, settings: Settings) -> None:
    """Let pages of the origins that are set read answers; of none, unless some are."""
    if settings.cors_origins:
        app.add_middleware(
            Sharing,
            allow_origins=listed(settings.cors_origins),
            allow_methods=("GET", "POST"),
            allow_headers=_ALLOWED,
            expose_headers=_EXPOSED,
        )


def _hosts(settings: Settings) -> Hosts | None:
    """The names this server may be asked under; None for any."""
    allowed = listed(settings.allowed_hosts)
    if not allowed and is_loopback(settings.host):
        allowed = loopback_hosts(settings.host)
    return Hosts(allowed) if allowed and "*" not in allowed else None
