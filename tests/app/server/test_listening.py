"""The listening socket that all workers share."""

import os
import socket

from app.server.listening import listen, waiting


def test_to_copy_it_never_makes_it_block() -> None:
    """A flag of what is shared: one worker starts and copies, and another one would stand still."""
    with listen("127.0.0.1", 0) as listener, listener.dup() as other:
        before = os.get_blocking(other.fileno())
        listener.dup().close()

        assert not before
        assert not os.get_blocking(other.fileno())


def test_who_waits_is_found_without_waiting() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert list(waiting(listener)) == []
        with socket.create_connection(listener.getsockname()):
            (accepted,) = waiting(listener)
            accepted.close()
