"""Clients that ask without pause and never try again: what they lose was lost.

Half of them keep their connection for as long as the server lets them, the others make a new one
for each request. A connection that is refused was never accepted, and counts apart.
"""

import itertools
import socket
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.serving import DEADLINE

BODY = b'{"inputs": [1, 2, 3, 4]}'
REQUEST = (
    b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)


class Question(NamedTuple):
    """A request, and what its answer must have."""

    request: bytes
    status: int = 200
    words: bytes = b""


PREDICT = Question(REQUEST, 200, b'"probabilities":')


class LostError(Exception):
    """A request was accepted and not answered, or not with what was promised."""


@dataclass
class Load:
    """What came of the requests so far."""

    questions: tuple[Question, ...] = (PREDICT,)
    answered: int = 0
    refused: int = 0
    lost: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def ask_on(self, address: tuple[str, int], reuse: bool) -> None:
        """One request after the other until it is over, or nobody listens any more."""
        connection: socket.socket | None = None
        for question in itertools.cycle(self.questions):
            if self.over.is_set():
                break
            try:
                connection = connection or socket.create_connection(address, DEADLINE)
            except OSError:
                self.refused += 1
                return
            try:
                last = ask(connection, question)
            except (OSError, LostError) as error:
                self.lost.append(f"{'reused' if reuse else 'fresh'}: {error!r}")
                last = True
            else:
                self.answered += 1
            if last or not reuse:
                connection.close()
                connection = None
        if connection:
            connection.close()

    def wait_for_more(self, answers: int) -> None:
        """Until so many more requests have been answered."""
        wanted, deadline = self.answered + answers, time.monotonic() + DEADLINE
        while self.answered < wanted:
            assert time.monotonic() < deadline, f"{self.answered} answered, {self.losses()}"
            time.sleep(0.005)

    def add(self, other: "Load") -> None:
        """Count what another one has counted."""
        self.answered += other.answered
        self.refused += other.refused
        self.lost += other.lost

    def losses(self) -> dict[str, int]:
        """How often each kind of loss happened."""
        return dict(Counter(self.lost))


def ask(connection: socket.socket, question: Question = PREDICT) -> bool:
    """One request; returns whether the answer says that it is the connection's last.

    Raises:
        LostError: the connection ended before the answer did, or the answer is another one.
    """
    connection.sendall(question.request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _more(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = dict(
        line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line
    )
    while len(body) < int(headers[b"content-length"]):
        body += _more(connection)
    if not head.startswith(b"HTTP/1.1 %d " % question.status) or question.words not in body:
        raise LostError(answer[:200])
    return headers.get(b"connection") == b"close"


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise LostError("the connection ended")
    return data


@contextmanager
def load(
    url: str, clients: int, questions: tuple[Question, ...] = (PREDICT,)
) -> Generator[Load, None, None]:
    """Ask until the block ends; afterwards every client has ended."""
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 0)
    found = Load(questions)
    threads = [
        threading.Thread(target=found.ask_on, args=(address, number % 2 == 0), daemon=True)
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        found.over.set()
        for thread in threads:
            thread.join(2 * DEADLINE)
