"""One line at start that says what is open, and to whom."""

import logging
from typing import NamedTuple

from app.access import SCOPES
from app.security.hosts import is_loopback
from app.security.ring import KeyRing

log = logging.getLogger("softlens")


class Surface(NamedTuple):
    """What answers."""

    address: str  # listened on
    debug: bool  # gradients
    control: bool  # loading and unloading models
    open_metrics: bool


def tell_what_is_open(surface: Surface, keys: KeyRing | None) -> None:
    """Log it; as a warning where strangers can do without a key what others ask one for."""
    if keys is not None:
        log.info("%s", _behind_keys(surface, keys))
    elif is_loopback(surface.address):
        log.info("open to everyone on this machine: %s", _all(surface))
    else:
        log.warning(
            "open to everyone who reaches %s: %s; SOFTLENS_KEYS_FILE asks for keys",
            surface.address,
            _all(surface),
        )


def _all(surface: Surface) -> str:
    names = ["predict", *(["gradients"] if surface.debug else [])]
    if surface.control:
        return ", ".join([*names, "loading and unloading models"])
    return f"{', '.join(names)}; model control off"


def _behind_keys(surface: Surface, keys: KeyRing) -> str:
    found = keys.all()
    counts = {scope: sum(scope in key.scopes for key in found) for scope in SCOPES}
    listed = ", ".join(f"{scope} {count}" for scope, count in counts.items() if count)
    named = f"{len(found)} key{'s' if len(found) > 1 else ''}"
    metrics = ", metrics" if surface.open_metrics else ""
    control = "on" if surface.control else "off"
    return (
        f"{named} known, by scope: {listed}; "
        f"open to everyone: health, API reference{metrics}; model control {control}"
    )
