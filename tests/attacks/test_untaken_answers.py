"""Answers that their clients do not take: bounded for all connections together."""

import re
import socket
import time
from pathlib import Path

from tests.attacks.raw import connect, get, post, said
from tests.serving import Server, serving

MIB = 2**20
BODY = b'{"logits": [[' + b"0.1," * 999 + b"0]]}"  # 20 MB of answer
BIG, LAST = post("/gradient", body=BODY), post("/gradient", "Connection: close", body=BODY)
ROOM = 55_000_000  # bytes; for two of them
CROWD = 30


def hoarders(server: Server, count: int) -> list[socket.socket]:
    """Clients that ask for a large answer each, and take as little of it as they can."""
    connections = [connect(server, buffer=4096) for _ in range(count)]
    for connection in connections:
        connection.sendall(BIG)
        assert connection.recv(1)  # so it is answered, and waits
    return connections


def grown_by(server: Server, count: int) -> tuple[int, float]:
    """Bytes of memory that so many of them cost, and how many were cut for want of it."""
    for _ in range(4):  # for each thread, what it keeps for the next time
        said(server, LAST)
    before = server.resident()
    connections = hoarders(server, count)
    grown, cut = server.resident() - before, counted(server, 'answers_cut_total{reason="memory"}')
    for connection in connections:
        connection.close()
    return grown, cut


def counted(server: Server, name: str) -> float:
    (answer,) = said(server, get("/metrics", "Connection: close"))
    found = re.search(rf"^softlens_{re.escape(name)} (\S+)$", answer.body.decode(), re.MULTILINE)
    assert found
    return float(found[1])


def test_they_are_bounded_together(model_file: Path) -> None:
    with serving(model_file, max_unsent_bytes=ROOM) as server:
        grown, cut = grown_by(server, CROWD)

    assert cut == CROWD - 2
    assert grown < 250 * MIB


def test_a_control_with_more_room_keeps_them(model_file: Path) -> None:
    with serving(model_file, max_unsent_bytes=2**30) as server:
        grown, cut = grown_by(server, CROWD)

    assert cut == 0
    assert grown > 500 * MIB


def test_who_takes_an_answer_is_not_cut_for_those_who_do_not(model_file: Path) -> None:
    """It needs seconds, while clients that take nothing come one after the other.

    Its system keeps little for it: of one that has megabytes ready to be read, no server can tell
    whether they are.
    """
    connections: list[socket.socket] = []
    received = b""
    with serving(model_file, max_unsent_bytes=ROOM) as server:
        with connect(server, buffer=65_536) as patient:
            patient.sendall(LAST)
            while piece := patient.recv(MIB):
                received += piece
                if len(connections) < 10 and len(received) > (1 + len(connections)) * 2 * MIB:
                    connections += hoarders(server, 1)
                    time.sleep(0.3)
        cut = counted(server, 'answers_cut_total{reason="memory"}')
        for connection in connections:
            connection.close()

    head, _, body = received.partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head
    assert cut >= 8


def test_one_alone_may_always_wait(model_file: Path) -> None:
    with serving(model_file, max_unsent_bytes=1) as server:
        (answer,) = said(server, LAST)

    assert answer.status == 200
    assert len(answer.body) > 10 * MIB


def test_no_other_is_made_on_a_connection_where_one_waits(model_file: Path) -> None:
    """Ten requests at once, whose answers are taken only after a while."""
    with serving(model_file) as server, connect(server) as connection:
        connection.sendall(BIG * 9 + LAST)
        assert connection.recv(1) == b"H"
        time.sleep(1)
        made = counted(server, 'requests_total{code="200",route="/gradient"}')
        whole = connection.makefile("rb").read()

    assert made == 1
    assert whole.count(b"TTP/1.1 200 OK") == 10


def test_an_answer_that_is_not_taken_in_time_is_counted(model_file: Path) -> None:
    with serving(model_file, write_seconds=0.5) as server:
        (connection,) = hoarders(server, 1)
        deadline = time.monotonic() + 30
        while not counted(server, 'answers_cut_total{reason="slow"}'):
            assert time.monotonic() < deadline, "not cut"
            time.sleep(0.1)
        connection.close()


def test_small_answers_count_whole_however_much_the_system_takes(model_file: Path) -> None:
    """Half a megabyte, of which the system takes most at once, is in memory until all is gone."""
    body = b'{"logits": [[' + b"0.1," * 159 + b"0]]}"
    with serving(model_file, max_unsent_bytes=2 * MIB) as server:
        connections = [connect(server, buffer=4096) for _ in range(40)]
        for connection in connections:
            connection.sendall(post("/gradient", body=body) * 20)
            assert connection.recv(1)
        time.sleep(1)
        cut = counted(server, 'answers_cut_total{reason="memory"}')
        for connection in connections:
            connection.close()

    assert cut >= 35
