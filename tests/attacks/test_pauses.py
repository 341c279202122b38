"""A server that was stopped for a while, as with its whole machine: nobody pays for that time."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.attacks.raw import LIVE, Reader, connect, post
from tests.serving import serving

HALF = post()[:60]


@pytest.mark.parametrize(
    ("before", "after", "statuses"),
    [
        (LIVE, LIVE, [200, 200]),
        (b"", LIVE, [200]),
        (HALF, post()[60:], [200]),
        (LIVE + HALF, post()[60:], [200, 200]),
    ],
    ids=["an idle connection", "a new one", "half a head", "half a head behind an answer"],
)
def test_what_arrives_meanwhile_is_answered(
    before: bytes, after: bytes, statuses: list[int], model_file: Path
) -> None:
    """Its deadlines are over when it goes on, before it has looked at what arrived."""
    with (
        serving(model_file, keep_alive_seconds=1, header_seconds=1, body_seconds=1) as server,
        connect(server) as connection,
    ):
        connection.sendall(before)
        time.sleep(0.4)
        os.kill(server.process.pid, signal.SIGSTOP)
        time.sleep(2.5)
        connection.sendall(after)
        os.kill(server.process.pid, signal.SIGCONT)

        answers = Reader(connection).all()

    assert [answer.status for answer in answers] == statuses


def test_deadlines_go_on_afterwards(model_file: Path) -> None:
    with serving(model_file, keep_alive_seconds=1) as server, connect(server) as connection:
        connection.sendall(LIVE)
        time.sleep(0.4)
        os.kill(server.process.pid, signal.SIGSTOP)
        time.sleep(2.5)
        os.kill(server.process.pid, signal.SIGCONT)
        started = time.monotonic()

        assert len(Reader(connection).all()) == 1
        assert time.monotonic() - started < 5
