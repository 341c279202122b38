"""What must be so after every attack."""

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.serving import DEADLINE, Server


@pytest.fixture
def well(client: httpx.Client, server: Server) -> Iterator[None]:
    """The same process answers, has nothing more open than before, and met no bug of ours."""
    assert client.get("/livez").status_code == 200
    opened, said = server.descriptors(), len(server.stderr)

    yield

    assert client.get("/livez").status_code == 200
    assert server.process.poll() is None
    assert "Traceback" not in "".join(server.stderr[said:])
    end = time.monotonic() + DEADLINE
    while server.descriptors() > opened and time.monotonic() < end:
        time.sleep(0.01)  # the last connection may still be closing
    assert server.descriptors() <= opened
