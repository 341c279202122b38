"""Heads that come again and again on one connection, read only once.

A client that keeps its connection sends the same head with every request, but for the length of the
body. What the parser and the limits made of those bytes they would make of them again, so that
neither is asked. docs/decisions/0016-known-heads.md has the reasons, and what it saves.
"""

import re
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.server.beginning import SOON, Beginning

_LONGEST = 2048  # bytes of a head that is kept
_DIGITS = 7  # of the length of a body
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)\r\n", re.IGNORECASE)
_END = b"\r\n\r\n"
# Of these a head is never the same twice, or something else than a body follows it.
_OTHERS = frozenset(
    {b"x-request-id", b"traceparent", b"transfer-encoding", b"expect", b"upgrade", b"trailer"}
)


class Head(NamedTuple):
    """A head that was parsed and let pass. Only the length of the body may be another one."""

    before: bytes  # up to the digits of the length
    after: bytes  # from there on
    url: bytes
    scope: dict[str, Any]  # Any: of ASGI
    place: int  # of the length among the headers


class Recalling(Beginning):
    """One connection, which recalls the last head."""

    _head: Head | None = None

    def is_between(self) -> bool:
        """Whether whatever has arrived is answered, and ends with a request."""
        cycle = self.cycle
        return cycle is None or (
            cycle.response_complete and cycle.scope is self.scope and not cycle.more_body
        )

    def recall(self, data: bytes) -> RequestResponseCycle | None:
        """The request, if it is nothing but one whose head was the last one's; for `is_between`."""
        head = self._head
        if head is None or not data.startswith(head.before):
            return None
        begin = len(head.before)
        end = data.find(b"\r", begin, begin + _DIGITS + 1)
        digits = data[begin:end]
        if not digits.isdigit() or not data.startswith(head.after, end):
            return None
        start = end + len(head.after)
        coming = int(digits)
        if len(data) - start != coming or coming > SOON:
            return None

        self.url = head.url
        scope = head.scope.copy()
        scope["state"] = self.app_state.copy()
        scope["headers"] = headers = head.scope["headers"].copy()
        headers[head.place] = (b"content-length", digits)
        self.scope = scope  # type: ignore[assignment]  # a copy of one
        self.cycle = cycle = self.cycle_of(keep_alive=not self._shared.life.closing)
        cycle.more_body = False
        cycle.body = data[start:]  # type: ignore[assignment]  # as Beginning.on_body has it
        cycle.message_event.set()
        self._unbegun = cycle
        return cycle

    def remember(self, data: bytes) -> None:
        """Keep the head of what has just been parsed, if it is one request and nothing else."""
        self._head, cycle = None, self.cycle
        if cycle is None or cycle.scope is not self.scope:
            return  # not even the head is whole
        scope: dict[str, Any] = dict(cycle.scope)  # Any: of ASGI
        scope.pop("extensions", None)  # which are of this one request
        size = data.find(_END, 0, _LONGEST) + len(_END)
        found = _LENGTH.search(data, 0, size)
        if scope["method"] != "POST" or scope["http_version"] != "1.1" or found is None:
            return
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        names = [name for name, _ in headers]
        if not _OTHERS.isdisjoint(names):
            return
        place = names.index(b"content-length")
        digits = headers[place][1]
        fits = len(digits) <= _DIGITS and size + _DIGITS <= self._shared.limits.header_bytes
        if fits and digits == found[1] and len(data) == size + int(digits):
            before, after = data[: found.start(1)], data[found.end(1) : size]
            self._head = Head(before, after, self.url, scope, place)
