"""One request on its way through the app: what was asked, and what has been learned of it."""

import itertools
import re
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.types import Receive, Scope

from app.admission import Admission

T = TypeVar("T")

# Requests of one process are told apart by a number at the end of what is otherwise a random UUID
# (RFC 9562, version 4): making a new one for each would take longer than reading its headers.
_PROCESS = str(uuid.uuid4())[:-13]
_numbers = itertools.count(1)
_SAFE_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")


class Call(Request):
    """A request that is given to its handler, and told of afterwards.

    Attributes:
        started: reading of perf_counter_ns when it arrived.
        route: the path that fits it, with the names of its parameters in braces; empty for none.
        id: what the client calls it, where that is safe to repeat; otherwise a UUID of ours.
        held: bytes of its body that count against what may be in memory at once.
        refusal: the slug of the problem that it was answered with; empty for none.
        scopes: of the key it came with, which say what its sender may see; all of them where
            no keys are wanted.
        run: of the service, once a model is asked; None before, and where none is.
    """

    def __init__(self, scope: Scope, receive: Receive, admission: Admission) -> None:
        super().__init__(scope, receive)
        self._admission = admission
        self.started = time.perf_counter_ns()
        self.route = ""
        self.refusal = ""
        self.id = id_of(scope["headers"])
        self.held = 0
        self.scopes: frozenset[str] = frozenset()
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
        return [value for key, value in self.scope["headers"] if key == name]


def id_of(headers: list[tuple[bytes, bytes]]) -> str:
    """What a request with these headers is called."""
    for name, value in headers:
        if name == b"x-request-id" and _SAFE_ID.fullmatch(value):
            return value.decode()
    return f"{_PROCESS}-{next(_numbers):012x}"
