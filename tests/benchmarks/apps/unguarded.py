"""`python -m tests.benchmarks.apps.unguarded`: the server without limits, keys, ids and metrics.

What is planted in its place does nothing, so that what those cost can be seen. For measuring only.
"""

import sys
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app import calls
from app.admission import Admission
from app.observability.counting import Meter
from app.security import Guard
from app.server import answering
from app.server.run import serve


def nothing(*_: Any, **__: Any) -> None:
    """Whatever is asked."""


def plain(_connections: Any) -> type[HttpToolsProtocol]:
    """uvicorn's own, which limits nothing."""
    return HttpToolsProtocol


def run() -> int:
    Guard.admit = nothing  # type: ignore[method-assign]
    Admission.enter = nothing  # type: ignore[method-assign]
    Admission.leave = nothing  # type: ignore[method-assign]
    Meter.answered = nothing  # type: ignore[method-assign]
    calls.id_of = lambda headers: "-"
    vars(answering)["partial"] = lambda _protocol, connections: plain(connections)
    return serve({})


if __name__ == "__main__":
    sys.exit(run())
