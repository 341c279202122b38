"""Too much at once: of bytes, of requests on one connection, of connections."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.raw import (
    LIVE,
    Reader,
    connect,
    files_of,
    get,
    lives,
    post,
    said,
    staying_well,
)  # fmt: skip
from tests.serving import DEADLINE, Server, serving

MIB = 2**20
_ABORT = struct.pack("ii", 1, 0)  # closing sends a reset
BIG = post("/gradient", body=b'{"logits": [[' + b"0.1," * 999 + b"0]]}")  # 20 MB of answer
FEW_FILES = (
    "import resource, sys\n"
    "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
    "from app.server.run import serve\n"
    "sys.exit(serve({}))\n"
)


@pytest.fixture
def well(server: Server) -> Iterator[Server]:
    with staying_well(server):
        yield server


def grown(server: Server, *floods: bytes) -> int:
    """Bytes of memory that floods of a kind cost a server that has seen one."""
    said(server, floods[0])
    before = server.resident()
    for flood in floods:
        said(server, flood)
    return server.resident() - before


@pytest.mark.parametrize(
    ("flood", "status"),
    [
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20 * MIB, 431),  # H12
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 3 * MIB, 431),  # H11
        (b"GET /" + b"p" * 20 * MIB, 414),
        (post("/predict", body=b" " * 20 * MIB), 413),  # H14
        (post("/absent", body=b" " * 20 * MIB), 404),
        (
            b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + b"100000\r\n%s\r\n" % (b" " * MIB) * 20,
            413,
        ),  # H15
    ],
    ids=["one header", "many headers", "a path", "a body", "a body for nobody", "chunks"],
)
def test_twenty_megabytes_are_refused_and_not_kept(flood: bytes, status: int, well: Server) -> None:
    (answer,) = said(well, flood)

    assert answer.status == status
    # A body may be read up to its limit of 8 MiB before it is found to be too large.
    assert grown(well, flood, flood) < (20 if status == 413 else 4) * MIB


def test_what_is_sent_for_ever_is_not_read_for_ever(well: Server) -> None:
    """After a refusal 32 MiB more are thrown away, or two seconds of them."""
    with connect(well) as connection, pytest.raises(ConnectionError):
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 200 * MIB)


def test_a_client_that_does_not_hang_up_after_a_refusal_is_left(well: Server) -> None:
    with connect(well) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert [answer.status for answer in Reader(connection).all()] == [400]
        started = time.monotonic()
        while not hung_up(connection):
            assert time.monotonic() < started + DEADLINE, "still open"
            time.sleep(0.1)


def hung_up(connection: socket.socket) -> bool:
    try:
        connection.sendall(b"x")
    except ConnectionError:
        return True
    return False


def test_ten_thousand_requests_at_once_are_answered_in_order(well: Server) -> None:
    """H18. Their order shows: every tenth asks for something else."""
    paths = [f"/absent-{i}" if i % 10 == 0 else "/livez" for i in range(10_000)]
    sent = b"".join(get(path) for path in paths)

    with connect(well) as connection:
        connection.settimeout(DEADLINE)
        sender = subprocess.Popen(
            [sys.executable, "-c", _SEND, str(connection.fileno())],
            stdin=subprocess.PIPE, pass_fds=[connection.fileno()],
        )  # fmt: skip
        assert sender.stdin is not None
        sender.stdin.write(sent)
        sender.stdin.close()
        reader = Reader(connection)
        for path in paths:
            answer = reader.next()
            assert answer is not None
            assert answer.status == (200 if path == "/livez" else 404)
            assert path == "/livez" or path in answer.body.decode()
        assert sender.wait(DEADLINE) == 0


_SEND = (
    "import socket, sys; socket.socket(fileno=int(sys.argv[1])).sendall(sys.stdin.buffer.read())"
)


def test_requests_whose_answers_nobody_reads_are_not_remembered(well: Server) -> None:
    """Ten connections full of the smallest requests, thousands of which fit into one read."""
    connections = [connect(well, buffer=4096) for _ in range(10)]
    before = well.resident()
    os.kill(well.process.pid, signal.SIGSTOP)  # so that it reads them all at once
    for connection in connections:
        push(connection, LIVE * 100_000, seconds=0.2, reading=False)
    os.kill(well.process.pid, signal.SIGCONT)
    assert lives(well)
    time.sleep(1)
    grown = well.resident() - before
    for connection in connections:
        connection.close()

    assert grown < 40 * MIB


def test_requests_that_wait_for_others_are_not_remembered_either(well: Server) -> None:
    """One connection whose answers are read: no faster is it read from than it is answered."""
    before = well.resident()
    with connect(well) as connection:
        sent = push(connection, post() * 400_000, seconds=3, reading=True)
        grown = well.resident() - before

    assert sent > 100_000
    assert grown < 16 * MIB


def push(connection: socket.socket, flood: bytes, seconds: float, *, reading: bool) -> int:
    """Send as much as can be sent in a time; the number of bytes."""
    connection.setblocking(False)
    rest = memoryview(flood)
    end = time.monotonic() + seconds
    while rest and time.monotonic() < end:
        try:
            rest = rest[connection.send(rest[: 2 * MIB]) :]
        except BlockingIOError:
            time.sleep(0.01)
        with contextlib.suppress(BlockingIOError):
            while reading and connection.recv(MIB):
                pass
    return len(flood) - len(rest)


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /li", post(length=1000), post(), post() + LIVE + post(length=9), BIG],
    ids=["nothing", "a head", "a body", "an answer", "several", "a large answer"],
)
def test_clients_that_vanish_leave_nothing(sent: bytes, reset: bool, well: Server) -> None:
    """H25: in the middle of that, a hundred times."""
    said_before = len(well.stderr)
    for _ in range(100 if sent != BIG else 5):
        with connect(well) as connection:
            connection.sendall(sent)
            if sent == BIG:
                assert connection.recv(100)
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)

    assert lives(well)
    assert well.stderr[said_before:] == []


def test_connections_beyond_the_limit_are_told_so(model_file: Path) -> None:
    with serving(model_file, max_connections=20) as server:
        kept = [connect(server) for _ in range(20)]
        for connection in kept:
            connection.sendall(b"GET /livez HTTP/1.1\r\n")  # not idle: each is in the middle
        time.sleep(0.3)
        with connect(server) as one_more:
            one_more.sendall(LIVE)
            (answer,) = Reader(one_more).all()
        kept[0].sendall(b"Host: localhost\r\n\r\n")
        first = Reader(kept[0]).next()
        for connection in kept:
            connection.close()

        assert (answer.status, answer.slug) == (503, "overloaded")
        assert answer.headers["retry-after"] in {"1", "2", "3"}
        assert b"at most 20 connections at a time (SOFTLENS_MAX_CONNECTIONS)" in answer.body
        assert first is not None
        assert first.status == 200


def test_idle_connections_make_room_when_there_are_many(model_file: Path) -> None:
    """They would have had a minute; others need their places."""
    with serving(model_file, max_connections=20, keep_alive_seconds=60) as server:
        idle = [connect(server) for _ in range(19)]
        for connection in idle:
            connection.sendall(LIVE)
        readers = [Reader(connection) for connection in idle]
        assert all(reader.next() for reader in readers)
        started = time.monotonic()

        assert [reader.next() for reader in readers] == [None] * 19
        assert time.monotonic() - started < 10
        assert [answer.status for answer in said(server, get("/livez", "Connection: close"))] == [
            200
        ]
        for connection in idle:
            connection.close()


def test_a_control_with_few_connections_lets_them_idle(model_file: Path) -> None:
    with (
        serving(model_file, max_connections=20, keep_alive_seconds=60) as server,
        connect(server) as connection,
    ):
        connection.sendall(LIVE)
        reader = Reader(connection)
        reader.next()
        connection.settimeout(3)

        with pytest.raises(TimeoutError):
            reader.next()


def test_a_server_short_of_file_descriptors_recovers(model_file: Path) -> None:
    """X10: 200 connections where 64 files may be open."""
    with serving(model_file, program=FEW_FILES) as server:
        crowd = []
        for _ in range(200):
            connection = connect(server)
            connection.setblocking(False)
            crowd.append(connection)
        time.sleep(0.5)
        files = files_of(server)
        before, started = processor_seconds(server), time.monotonic()
        time.sleep(2)
        used = (processor_seconds(server) - before) / (time.monotonic() - started)
        for connection in crowd:
            connection.close()
        recovered = recovers(server)

        assert files < 56  # so that a model can be loaded all the same
        assert used < 0.5  # of a processor: not busy
        assert recovered
        assert server.stop() == 0
    assert "Traceback" not in "".join(server.stderr)


def recovers(server: Server) -> bool:
    """Whether it answers, when connections have been given the time to go."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        try:
            if [answer.status for answer in said(server, get("/livez", "Connection: close"))] == [
                200
            ]:
                return True
        except ConnectionError:
            pass
        time.sleep(0.1)
    return False


def processor_seconds(server: Server) -> float:
    path = Path(f"/proc/{server.process.pid}/stat")
    if not path.exists():
        pytest.skip("needs /proc to see the time used")
    fields = path.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
