"""Clients that say no more, and wait for their answers: `shutdown` of the writing side."""

import socket
import time
from collections.abc import Iterator

import pytest

from tests.attacks.raw import LIVE, Reader, connect, post, staying_well
from tests.serving import Server

LARGE = post("/gradient", body=b'{"logits": [[' + b"0.1," * 999 + b"0]]}")  # 20 MB of answer


@pytest.fixture
def well(server: Server) -> Iterator[Server]:
    with staying_well(server):
        yield server


def answers_to(server: Server, sent: bytes) -> list[int]:
    """Statuses of all answers, until the connection is closed; which is soon."""
    with connect(server) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        started = time.monotonic()
        statuses = [answer.status for answer in Reader(connection).all()]
        assert time.monotonic() - started < 4, "it waits, though nothing can come any more"
    return statuses


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (post(), [200]),
        (LIVE, [200]),
        (LARGE, [200]),
        (post("/predict", body=b"{"), [400]),
        (post() * 3 + LIVE, [200] * 4),
        (post() * 2000, [200] * 2000),
        (LARGE + LIVE, [200, 200]),
        (post() + LIVE[:20], [200]),
        (post() + b"GET / HTTP/1.1\r\n\r\n", [200, 400]),
    ],
    ids=[
        "a request", "a small one", "a large answer", "a wrong one", "several", "thousands",
        "one behind a large answer", "one and half a head", "one and a wrong head",
    ],
)  # fmt: skip
def test_what_has_arrived_whole_is_answered(sent: bytes, statuses: list[int], well: Server) -> None:
    assert answers_to(well, sent) == statuses


@pytest.mark.parametrize(
    "sent", [b"", LIVE[:20], post(length=1000)], ids=["nothing", "half a head", "half a body"]
)
def test_what_can_never_be_whole_is_closed_at_once(sent: bytes, well: Server) -> None:
    assert answers_to(well, sent) == []
