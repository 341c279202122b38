"""The largest bodies, many at once: what is made of them is bounded with them."""

import threading
from pathlib import Path

import numpy as np
import pytest

from model import save_artifact
from tests.attacks.raw import post, said
from tests.model.artifacts import make_artifact
from tests.serving import Server, serving

ROWS, WIDTH = 4090, 976
HEAD = b'"name": "inputs", "datatype": "FP32", "shape": [%d, %d]' % (ROWS, WIDTH)
LARGEST = b'{"inputs": [{%s, "data": [' % HEAD + b",".join([b"1"] * (ROWS * WIDTH)) + b"]}]}"
ROOM = 550 * 2**20  # bytes; 0.44 billion were seen
WHOLE = """
import sys
from app.codecs import lifting
lifting._LARGE = 10**9
from app.server.run import serve
sys.exit(serve({}))
"""


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    path = tmp_path / "fixture.npz"
    save_artifact(path, make_artifact(np.random.default_rng(7), shape=(WIDTH, 8, 3)))
    return path


def peak_of_eight(server: Server) -> int:
    """Bytes that the process had in use at most, while it answered eight at once."""
    statuses: list[int] = []

    def ask() -> None:
        request = post("/v2/models/fixture/infer", "Connection: close", body=LARGEST)
        (answer,) = said(server, request)
        statuses.append(answer.status)

    clients = [threading.Thread(target=ask) for _ in range(8)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert statuses == [200] * 8
    status = Path(f"/proc/{server.process.pid}/status")
    if not status.exists():
        pytest.skip("needs /proc to see the memory")
    return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024


def test_eight_of_the_largest_tensors_at_once_are_bounded(wide: Path) -> None:
    with serving(wide) as server:
        assert peak_of_eight(server) < ROOM


def test_a_control_that_reads_them_whole_and_all_at_once_is_noticed(wide: Path) -> None:
    with serving(wide, program=WHOLE, work_threads=8) as server:
        assert peak_of_eight(server) > ROOM
