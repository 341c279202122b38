"""`python -m app.server.healthcheck`: exit 0 when this container's server is ready.

A bare socket, because an HTTP client would take longer to import than the answer takes.
"""

import os
import socket
import sys


def is_ready(port: int) -> bool:
    """Whether GET /readyz on this machine answers 200 within 2 seconds."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(
                b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            return connection.recv(64).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if is_ready(int(os.environ.get("SOFTLENS_PORT", "8000"))) else 1)
