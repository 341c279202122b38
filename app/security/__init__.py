"""Who may ask: hosts, keys and their scopes, and what is told of them at start."""

from app.security.guard import Guard
from app.security.hosts import Hosts, is_loopback, loopback_hosts
from app.security.openness import Surface, tell_what_is_open
from app.security.ring import KeyRing, key_ring

__all__ = [
    "Guard",
    "Hosts",
    "KeyRing",
    "Surface",
    "is_loopback",
    "key_ring",
    "loopback_hosts",
    "tell_what_is_open",
]
