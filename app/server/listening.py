"""The listening socket: taken before anything is loaded, and closed without losing a connection."""

import array
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

from app import exit_codes
from app.failures import StartError

# Classic BPF over the TCP header: drop a packet whose only flag of SYN and ACK is SYN.
_NEW_HANDSHAKES_DROPPED = (
    (0x30, 0, 0, 13),  # load the byte of the flags
    (0x54, 0, 0, 0x12),  # keep SYN and ACK
    (0x15, 0, 1, 0x02),  # SYN alone?
    (0x06, 0, 0, 0),  # then drop all of it
    (0x06, 0, 0, 0xFFFFFFFF),  # otherwise keep all of it
)
_SO_ATTACH_FILTER = 26  # Linux; the socket module does not name it


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, before anything is loaded: a taken port ends the start at once.

    It never blocks, not even for a moment. All processes that accept from it share that property,
    and `dup` sets it anew: a worker would wait for ever for a connection that another one took.

    Raises:
        StartError: there cannot be one; says why.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        listener = socket.create_server(
            (host, port), family=family, backlog=2048, dualstack_ipv6=both
        )
    except PermissionError:
        raise StartError(
            f"port {port} needs privileges; choose one above 1023", exit_codes.UNAVAILABLE
        ) from None
    except (TypeError, UnicodeError):  # what Python makes of a name beyond IDNA
        raise StartError(
            f"cannot listen on {host:.80}:{port}: no name that a host can have",
            exit_codes.UNAVAILABLE,
        ) from None
    except OSError as error:
        # asyncio's own text repeats the address; a name that is not found has no errno.
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else str(error.strerror).partition(" (")[0]
        raise StartError(
            f"cannot listen on {host}:{port}: {reason}", exit_codes.UNAVAILABLE
        ) from None
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket) -> str:
    """The address to ask."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def refuse_handshakes(listener: socket.socket) -> None:
    """Let no connection begin any more, while those that have begun can still be accepted.

    A listening socket resets what waits in it when it is closed, and something would arrive between
    the last look and the closing. Where the system has no such filter, that moment is all that is
    lost. It holds for every process that shares the socket.
    """
    instructions = b"".join(struct.pack("HBBI", *line) for line in _NEW_HANDSHAKES_DROPPED)
    program = array.array("B", instructions)
    address, _ = program.buffer_info()
    with suppress(OSError):
        listener.setsockopt(
            socket.SOL_SOCKET,
            _SO_ATTACH_FILTER,
            struct.pack("HP", len(_NEW_HANDSHAKES_DROPPED), address),
        )


def waiting(listener: socket.socket) -> Iterator[socket.socket]:
    """Connections that the system has made and nobody has accepted yet. `listener` never blocks."""
    while True:
        try:
            yield listener.accept()[0]
        except ConnectionError:  # it has left again
            continue
        except OSError:  # there is none, or no descriptor for it
            return
