"""One request on its way through the app: what was asked, and what has been learned of it."""

import random
import re
import time
from typing import Any

from starlette.requests import Request
from starlette.types import Receive, Scope

_SAFE_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")


class Call(Request):
    """A request that is given to its handler, and told of afterwards.

    Attributes:
        started: reading of perf_counter_ns when it arrived.
        route: the path that fits it, with the names of its parameters in braces; empty for none.
        id: what the client calls it, where that is safe to repeat; otherwise a new UUID.
        refusal: the slug of the problem that it was answered with; empty for none.
        run: of the service, once a model is asked; None before, and where none is.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self.started = time.perf_counter_ns()
        self.route = ""
        self.refusal = ""
        self.id = _id_of(scope["headers"])
        self.run: Any = None  # Any: a Run, which is made of more than this module may know

    def fields(self, name: bytes) -> list[bytes]:
        """Every value of a header, by its name in small letters; none where it was not sent."""
        return [value for key, value in self.scope["headers"] if key == name]


def _id_of(headers: list[tuple[bytes, bytes]]) -> str:
    for name, value in headers:
        if name == b"x-request-id" and _SAFE_ID.fullmatch(value):
            return value.decode()
    # A random UUID (RFC 9562, version 4), without an object for each.
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
