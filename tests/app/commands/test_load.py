"""The client that asks again and again, against a socket that answers word by word."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from app.commands.load import Bounds, Question, post
from app.failures import UnreachableError

REQUEST = b"POST / HTTP/1.1\r\n\r\n"
PLAIN = (b"HTTP/1.1 200 OK\r\nContent-", b"Length: 5\r\n\r\nhe", b"llo")
CHUNKED = (
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    b"2;x=y\r\nhe\r\n",
    b"3",
    b"\r\nllo\r\n0\r",
    b"\n\r\n",
)


@contextmanager
def answering(*answers: Sequence[bytes]) -> Iterator[Question]:
    """A server for one connection, which gives these answers in turn, in these pieces."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for pieces in answers:
                connection.recv(65_536)
                for piece in pieces:
                    connection.sendall(piece)
                    pause.wait(0.01)  # or the pieces may arrive as one
            connection.recv(1)

    pause = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield Question("127.0.0.1", listener.getsockname()[1], REQUEST)
        thread.join()


@pytest.mark.parametrize("answer", [PLAIN, CHUNKED], ids=["plain", "chunked"])
def test_an_answer_in_pieces_is_one_answer(answer: Sequence[bytes]) -> None:
    with answering(answer, answer, answer) as question:
        found = post(question, Bounds(1, 60.0, 3))

    assert (len(found.latencies), found.refused, found.lost) == (3, {}, 0)
    assert all(latency > 0.01 for latency in found.latencies)


def test_an_answer_of_another_length_is_still_one_answer() -> None:
    longer = (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"123456789")
    busy = (b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n",)

    with answering(PLAIN, longer, busy, PLAIN) as question:
        found = post(question, Bounds(1, 60.0, 4))

    assert (len(found.latencies), found.refused) == (3, {503: 1})


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example ready\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno number\r\n",
    ],
)
def test_what_has_no_end_is_no_answer(answer: bytes) -> None:
    with (
        answering([answer]) as question,
        pytest.raises(UnreachableError, match="what was answered is no HTTP"),
    ):
        post(question, Bounds(1, 60.0, 1))
