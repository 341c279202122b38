"""One request on its way through the app: what was asked, and what has been learned of it."""

import itertools
import re
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from app.admission import Admission

T = TypeVar("T")
Headers: TypeAlias = list[tuple[bytes, bytes]]  # names in small letters

# Requests of one process are told apart by a number at the end of what is otherwise a random UUID
# (RFC 9562, version 4): making a new one for each would take longer than reading its headers. They
# are made in C, without a frame of Python for each.
_next_id = map((str(uuid.uuid4())[:-12] + "{:012x}").format, itertools.count(1)).__next__
_NOBODY: frozenset[str] = frozenset()
_SAFE_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")


class Call:
    """A request that is given to its handler, and told of afterwards.

    Attributes:
        scope: of ASGI.
        receive: of ASGI.
        method: of HTTP.
        path_params: what the path gives to the names in braces of its route.
        started: reading of perf_counter_ns when it arrived.
        arrived: the body, where the server has all of it already.
        named: headers by their names in small letters; of one that is there twice, the last.
        route: the path that fits it, with the names of its parameters in braces; empty for none.
        id: what the client calls it, where that is safe to repeat; otherwise a UUID of ours.
        held: bytes of its body that count against what may be in memory at once.
        refusal: the slug of the problem that it was answered with; empty for none.
        scopes: of the key it came with, which say what its sender may see; all of them where
            no keys are wanted.
        run: of the service, once a model is asked; None before, and where none is.
    """

    __slots__ = (
        "_admission", "_headers", "arrived", "held", "id", "method", "named", "path_params",
        "receive", "refusal", "route", "run", "scope", "scopes", "started",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, admission: Admission) -> None:
        self.started = time.perf_counter_ns()
        self.scope, self.receive, self._admission = scope, receive, admission
        self.method: str = scope.get("method", "")
        self._headers: Headers = scope["headers"]
        self.named = dict(self._headers)
        self.id = id_of(self._headers) if b"x-request-id" in self.named else _next_id()
        self.path_params: dict[str, str] = {}
        self.arrived: bytes | None = None
        self.route = self.refusal = ""
        self.held = 0
        self.scopes: frozenset[str] = _NOBODY
        self.run: Any = None  # Any: a Run, which is made of more than this module may know

    def hold(self, size: int) -> None:
        """Take up so many more bytes of the body, until the answer is sent; or OverloadedError."""
        self._admission.hold(size, self.held)
        self.held += size

    async def work(self, piece: Callable[[], T]) -> T:
        """Do a large piece of work for it in a thread; or OverloadedError, or DeadlineError."""
        return await self._admission.work(piece)

    def fields(self, name: bytes) -> list[bytes]:
        """Every value of a header, by its name in small letters; none where it was not sent."""
        if name not in self.named:
            return []
        if len(self.named) == len(self._headers):
            return [self.named[name]]
        return [value for key, value in self._headers if key == name]

    def text(self, name: bytes) -> str:
        """The first value of a header; empty where it was not sent."""
        found = self.fields(name)
        return found[0].decode("latin-1") if found else ""

    def asked(self) -> list[tuple[str, str]]:
        """Names and values behind the path, in their order."""
        return parse_qsl(self.scope["query_string"].decode("latin-1"), keep_blank_values=True)


def id_of(headers: Headers) -> str:
    """What a request with these headers is called."""
    for name, value in headers:
        if name == b"x-request-id" and _SAFE_ID.fullmatch(value):
            return value.decode()
    return _next_id()
