"""What every request must pass before its handler: the name it asks for, and its key."""

from app.access import EVERYTHING, Access
from app.calls import Call
from app.errors import RequestError
from app.security.hosts import Hosts
from app.security.keys import Key
from app.security.ring import KeyRing

_HEALTH, _ADMIN = Access.HEALTH, Access.ADMIN  # members of an Enum are looked up slowly
_NOBODY: frozenset[str] = frozenset()
_OWN_PAGES = (b"same-origin", b"none")  # none: a person typed the address


class Guard:
    """Lets a request pass, and notes what its sender may see; or says why not."""

    def __init__(self, hosts: Hosts | None, keys: KeyRing | None, *, open_metrics: bool) -> None:
        """Guard a server.

        Args:
            hosts: names it may be asked under; None for any.
            keys: None to want none.
            open_metrics: whether metrics are given to anyone.
        """
        self._hosts = hosts
        self.keys = keys
        self._open = {Access.HEALTH, Access.OPEN} | ({Access.METRICS} if open_metrics else set())

    def admit(self, call: Call, access: Access) -> None:
        """Let a request pass to a route with this access.

        Raises:
            RequestError: bad-host, missing-key, unknown-key, scope-missing or cross-site.
        """
        if access is _HEALTH:
            return
        fields = call.named
        if self._hosts is not None and not self._hosts.allow(fields.get(b"host", b"")):
            raise RequestError(
                "bad-host",
                "this server is not asked under the name in the Host header; "
                "SOFTLENS_ALLOWED_HOSTS allows more names",
            )
        if access is _ADMIN:
            _refuse_other_sites(fields)
        call.scopes = EVERYTHING if self.keys is None else self._scopes(self.keys, fields, access)

    def _scopes(self, keys: KeyRing, fields: dict[bytes, bytes], access: Access) -> frozenset[str]:
        sent = _key_in(fields)
        key = None if sent is None else keys.find(sent)
        if access in self._open:
            return _NOBODY if key is None else key.scopes
        if key is None:
            raise _no_key() if sent is None else _unknown_key()
        if access not in key.scopes:
            raise _no_scope(key, access)
        return key.scopes


def _key_in(fields: dict[bytes, bytes]) -> bytes | None:
    """The key that was sent. X-API-Key first: Authorization may be meant for a proxy on the way."""
    key = fields.get(b"x-api-key")
    if key is None:
        scheme, _, key = fields.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer":
            return None
    return key.strip()


def _refuse_other_sites(fields: dict[bytes, bytes]) -> None:
    """Refuse what a page of another site made a browser send.

    Browsers say so truthfully, and send a POST that needs no preflight to any host they reach.
    """
    if fields.get(b"sec-fetch-site", b"none") not in _OWN_PAGES:
        raise RequestError(
            "cross-site", "models are not loaded and unloaded by pages of other sites"
        )


def _no_key() -> RequestError:
    return RequestError(
        "missing-key", "expected a key, as `Authorization: Bearer KEY` or as `X-API-Key: KEY`"
    )


def _unknown_key() -> RequestError:
    return RequestError("unknown-key", "the key that was sent is none of those known here")


def _no_scope(key: Key, access: Access) -> RequestError:
    has = ", ".join(sorted(key.scopes))
    return RequestError("scope-missing", f"expected a key with the scope {access}, got {has}")
