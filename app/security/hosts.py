"""The names under which this server may be asked.

A page in somebody's browser can let its own name point to 127.0.0.1 and then read what a server
there answers (DNS rebinding). The name it asks for stays its own, and that gives it away.
"""

import ipaddress
import re
from collections.abc import Iterable

_MOST_KNOWN = 1024
_LONGEST = 300  # bytes: a name of a host has at most 253, a port 6
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:]+)(:[0-9]*)?")


class Hosts:
    """Names that are allowed, with any port. `*.example.com` is every name that ends so."""

    def __init__(self, allowed: Iterable[str]) -> None:
        names = {name.lower() for name in allowed}
        self._names = frozenset(name for name in names if not name.startswith("*."))
        self._ends = tuple(name[1:] for name in names if name.startswith("*."))
        self._known: dict[bytes, bool] = {}

    def allow(self, host: bytes) -> bool:
        """Whether a `Host` header names one of them."""
        known = self._known.get(host)
        return self._judge(host) if known is None else known

    def _judge(self, host: bytes) -> bool:
        if len(host) > _LONGEST:
            return False
        found = _HOST.fullmatch(host.decode("latin-1").lower())
        name = found[1].removesuffix(".") if found else ""
        allowed = name in self._names or name.endswith(self._ends)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[host] = allowed
        return allowed


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    if address.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def loopback_hosts(address: str) -> list[str]:
    """The names of this machine for itself, among them the loopback address listened on."""
    return ["localhost", "127.0.0.1", "[::1]", f"[{address}]" if ":" in address else address]
