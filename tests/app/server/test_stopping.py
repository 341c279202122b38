"""The end of a server, seen by those who are connected to it."""

import json
import re
import signal
import socket
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from tests.serving import DEADLINE, ROOT, Server, serving

ROW = {"inputs": [1, 2, 3, 4]}
LONG = 600  # seconds that no test waits for


@contextmanager
def half_posted(server: Server, path: str) -> Generator[socket.socket, None, None]:
    """A connection on which half of a body has arrived."""
    with connected(server) as connection:
        connection.sendall(
            b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 9\r\n\r\n{" % path.encode()
        )
        with server.client() as client:  # the server has seen it by now
            client.get("/livez")
        yield connection


def connected(server: Server) -> socket.socket:
    parts = urlsplit(server.url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), DEADLINE)


def answer_on(connection: socket.socket) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Status line, headers and body of what comes until the connection ends."""
    head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    return status, dict(line.lower().split(b": ", 1) for line in lines), body


def until_draining(client: httpx.Client) -> None:
    deadline = time.monotonic() + DEADLINE
    while client.get("/readyz").status_code == 200:
        assert time.monotonic() < deadline


def until_refused(server: Server) -> None:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        try:
            connected(server).close()
        except ConnectionRefusedError:
            return
    pytest.fail("the port is still open")


def end(server: Server) -> int:
    """A second signal: it need not drain for as long as it was told to."""
    server.process.terminate()
    return server.process.wait(DEADLINE)


def test_a_draining_server_is_not_ready_and_answers_on(model_file: Path) -> None:
    with serving(model_file, drain_seconds=LONG) as server, server.client() as client:
        server.process.terminate()
        until_draining(client)

        for path in ("/readyz", "/v2/health/ready", "/ping"):
            found = client.get(path)
            assert (found.status_code, found.json()["type"]) == (503, "/problems/not-ready")
            assert found.headers["connection"] == "close"
        assert client.head("/readyz").status_code == 503
        for found in (client.get("/livez"), client.post("/predict", json=ROW)):
            assert (found.status_code, found.headers["connection"]) == (200, "close")
        assert end(server) == 0


def test_a_connection_that_was_idle_is_answered_during_the_drain(model_file: Path) -> None:
    with serving(model_file, drain_seconds=LONG) as server, server.client() as client:
        with connected(server) as connection:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
            server.process.terminate()
            until_draining(client)

            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            status, headers, _ = answer_on(connection)

        assert status == b"HTTP/1.1 200 OK"
        assert headers[b"connection"] == b"close"
        assert end(server) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_waits_to_be_accepted_is_answered(number: signal.Signals, model_file: Path) -> None:
    """The process is stopped meanwhile, so that only the system can have accepted them."""
    with serving(model_file, drain_seconds=0) as server, ExitStack() as open_ones:
        server.process.send_signal(signal.SIGSTOP)
        waiting = [open_ones.enter_context(connected(server)) for _ in range(20)]
        for connection in waiting:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        server.process.send_signal(number)
        server.process.send_signal(signal.SIGCONT)

        answers = [answer_on(connection)[0] for connection in waiting]

        assert answers == [b"HTTP/1.1 200 OK"] * 20
        assert server.process.wait(DEADLINE) == (130 if number == signal.SIGINT else 0)


@pytest.mark.parametrize("path", ["/predict", "/v2/models/fixture/infer"])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_request_that_is_cut_is_told_so(path: str, workers: int, model_file: Path) -> None:
    with (
        serving(model_file, drain_seconds=0, shutdown_seconds=1, workers=workers) as server,
        half_posted(server, path) as connection,
    ):
        server.process.terminate()
        status, headers, body = answer_on(connection)
        code = server.process.wait(DEADLINE)

    told = json.loads(body)
    assert status == b"HTTP/1.1 503 Service Unavailable"
    assert headers[b"connection"] == b"close"
    assert told["type"] == "/problems/shutting-down"
    assert ("error" in told) == path.startswith("/v2")
    assert "Traceback" not in "".join(server.stderr)
    assert code == 0


# Workers that accept for a second before they say that they are ready.
SHY = """
import asyncio, sys
from app.server import stopping
from app.server.run import serve
begin = stopping.Server.startup
async def startup(self, sockets=None):
    await begin(self, sockets)
    await asyncio.sleep(1)
stopping.Server.startup = startup
sys.exit(serve({}))
"""


def test_what_a_worker_accepts_while_it_starts_is_answered(model_file: Path) -> None:
    with (
        serving(model_file, SHY, drain_seconds=0, shutdown_seconds=2, workers=2) as server,
        half_posted(server, "/predict") as connection,
    ):
        server.process.terminate()
        status, _, _ = answer_on(connection)

        assert server.process.wait(DEADLINE) == 0
    assert status == b"HTTP/1.1 503 Service Unavailable"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_hurries(workers: int, model_file: Path) -> None:
    with (
        serving(model_file, drain_seconds=LONG, shutdown_seconds=LONG, workers=workers) as server,
        half_posted(server, "/predict") as connection,
    ):
        server.process.terminate()
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):  # it waits
            connection.recv(1)
        connection.settimeout(DEADLINE)

        assert end(server) == 0
        assert answer_on(connection)[0] == b"HTTP/1.1 503 Service Unavailable"


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_does_not_drain(workers: int, model_file: Path) -> None:
    with serving(model_file, drain_seconds=LONG, workers=workers) as server:
        server.process.send_signal(signal.SIGINT)

        assert server.process.wait(DEADLINE) == 130


def test_a_connection_that_never_asks_does_not_delay_the_end(model_file: Path) -> None:
    with (
        serving(model_file, drain_seconds=0, shutdown_seconds=LONG) as server,
        connected(server),
    ):
        assert server.stop() == 0


def test_nobody_is_accepted_after_the_drain(model_file: Path) -> None:
    with (
        serving(model_file, drain_seconds=0, shutdown_seconds=LONG) as server,
        half_posted(server, "/predict") as unfinished,
    ):
        server.process.terminate()
        until_refused(server)

        unfinished.sendall(b'"x" : 1}')  # and what was accepted is still finished
        assert answer_on(unfinished)[0].startswith(b"HTTP/1.1 4")
        assert server.process.wait(DEADLINE) == 0


@pytest.mark.parametrize(
    ("where", "names"),
    [
        (uvicorn.Server.__init__, {"server_state", "should_exit", "_captured_signals"}),
        (uvicorn.Server.startup, {"servers", "lifespan"}),
        (ServerState.__init__, {"connections", "tasks"}),
        (HttpToolsProtocol.__init__, {"cycle", "transport", "server_state"}),
        (RequestResponseCycle.__init__,
         {"keep_alive", "response_started", "response_complete", "disconnected", "scope"}),
        (RequestResponseCycle.send, {"keep_alive", "disconnected"}),
    ],
)  # fmt: skip
def test_uvicorn_is_still_what_we_reach_into(where: object, names: set[str]) -> None:
    code = where.__code__  # type: ignore[attr-defined]  # every function has it

    assert names <= set(code.co_names)


def test_no_timer_depends_on_the_time_of_day() -> None:
    for path in (ROOT / "app" / "server").glob("*.py"):
        assert not re.search(r"\btime\.time\(|datetime", path.read_text(encoding="utf-8")), path
