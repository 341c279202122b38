"""`python -m tests.benchmarks.apps.unguarded`: the server without limits, keys, ids and metrics.

What is planted in their place does nothing, so that what those cost can be seen; how requests are
read and answers sent stays as it is. For measuring only.
"""

import sys
from typing import Any

from app import calls
from app.admission import Admission
from app.observability.counting import Meter
from app.security import Guard
from app.server import heads
from app.server.connections import Connections
from app.server.run import serve
from app.server.unsent import Unsent


def nothing(*_: Any, **__: Any) -> None:
    """Whatever is asked."""


def never(*_: Any, **__: Any) -> bool:
    """Whatever is asked."""
    return False


def length(head: heads.Head, limits: Any) -> int:
    """The body's, which is no limit but a need."""
    return int(dict(head.headers).get(b"content-length", 0))


def run() -> int:
    for kind, names in {
        Guard: ("admit",),
        Admission: ("enter", "leave", "hold"),
        Meter: ("answered",),
        Unsent: ("add", "remove"),
        Connections: ("welcome",),
    }.items():
        for name in names:
            setattr(kind, name, nothing)
    Connections.is_late = never  # type: ignore[method-assign]
    calls.id_of = lambda headers: "-"
    calls._next_id = lambda: "-"
    heads.refuse_head = length
    return serve({})


if __name__ == "__main__":
    sys.exit(run())
