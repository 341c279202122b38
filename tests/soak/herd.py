"""Clients that never finish what they ask, many at once, and how long they are borne with."""

import selectors
import socket
import threading
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.soak.load import REQUEST


class Kind(NamedTuple):
    """What it sends at once, and then each second."""

    first: bytes
    then: bytes = b""


KINDS = {
    "silent": Kind(b""),
    "half_head": Kind(REQUEST[:40]),
    "trickled_head": Kind(REQUEST[:60] + b"\r\nX: ", b"x"),
    "trickled_body": Kind(REQUEST.replace(b"Content-Length: ", b"Content-Length: 9"), b" "),
}


class Herd(threading.Thread):
    """As many of them as are wanted, of all kinds in equal parts.

    Attributes:
        lasted: of each kind, the seconds until the last one was closed; infinite for one that is
            still open when `patience` is over.
    """

    def __init__(self, url: str, count: int, patience: float) -> None:
        super().__init__(daemon=True)
        self.lasted = dict.fromkeys(KINDS, 0.0)
        self._patience = patience
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 0)
        self._names = [list(KINDS)[i % len(KINDS)] for i in range(count)]
        self._open: dict[socket.socket, tuple[str, float]] = {}  # kind, and since when

    def run(self) -> None:
        """Connect, trickle, and note who is closed, until nobody is left."""
        with selectors.DefaultSelector() as selector:
            for name in self._names:
                client = socket.create_connection(self._address)
                client.sendall(KINDS[name].first)
                client.setblocking(False)
                self._open[client] = (name, time.monotonic())
                selector.register(client, selectors.EVENT_READ)
            ended, due = time.monotonic() + self._patience, 0.0
            while self._open and time.monotonic() < ended:
                for key, _ in selector.select(0.1):
                    self._hear(selector, key.fileobj)  # type: ignore[arg-type]  # what was registered
                if time.monotonic() > due:
                    due = time.monotonic() + 1
                    self._trickle()
            for client, (name, _) in self._open.items():
                self.lasted[name] = float("inf")
                client.close()

    def _hear(self, selector: selectors.BaseSelector, client: socket.socket) -> None:
        try:
            while client.recv(65_536):
                pass
        except BlockingIOError:
            return  # it was told why, and is closed a moment later
        except ConnectionError:
            pass
        selector.unregister(client)
        client.close()
        name, since = self._open.pop(client)
        self.lasted[name] = max(self.lasted[name], time.monotonic() - since)

    def _trickle(self) -> None:
        for client, (name, _) in self._open.items():
            try:
                client.send(KINDS[name].then)
            except OSError:  # closed; that is heard in a moment
                continue
