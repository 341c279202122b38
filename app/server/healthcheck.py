"""`python -m app.server.healthcheck`: exit 0 when this container's server is ready.

A bare socket, because an HTTP client would take longer to import than the answer takes.
"""

import os
import socket
import sys

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  asked for, not listened on


def is_ready(host: str, port: int) -> bool:
    """Whether GET /readyz of the server that listens on `host` answers 200 within 2 seconds."""
    try:
        with socket.create_connection((_LOOPBACK.get(host, host), port), timeout=2) as connection:
            connection.sendall(
                b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            return connection.recv(64).startswith(b"HTTP/1.1 200 ")
    except (OSError, TypeError, UnicodeError):  # the last two for a name beyond IDNA
        return False


if __name__ == "__main__":
    host = os.environ.get("SOFTLENS_HOST") or "127.0.0.1"
    port = os.environ.get("SOFTLENS_PORT", "")  # Kubernetes may set tcp://... here
    sys.exit(0 if is_ready(host, int(port) if port.isdecimal() else 8000) else 1)
