"""Bodies of 8 MB, large in odd ways: one request is slow, and all others are not.

A ticker in the server notes the longest time between two turns of its loop, in processor time of
the process, so that a busy machine does not count.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.raw import post, said
from tests.serving import DEADLINE, Server, serving

TICKING = """
import asyncio, signal, sys, time
from app.server import stopping
from app.server.run import serve

worst = 0.0

async def startup(self, sockets=None, old=stopping.Server.startup):
    await old(self, sockets)
    loop = asyncio.get_running_loop()

    def tick(wall, used):
        global worst
        now, spent = time.perf_counter(), time.process_time()
        worst = max(worst, min(now - wall, spent - used))
        loop.call_later(0.001, tick, now, spent)

    def tell():
        global worst
        sys.stderr.write(f"stalled for {worst} s\\n")
        worst = 0.0

    tick(time.perf_counter(), time.process_time())
    loop.add_signal_handler(signal.SIGUSR1, tell)

stopping.Server.startup = startup
%s
sys.exit(serve({}))
"""
# A reader that makes Python objects of everything before anything is looked at, in one piece and of
# five copies, so that no machine is too fast for it to be noticed.
AT_ONCE = """
import json
from app.codecs import documents
documents.parse = lambda text, part=None: json.loads(b"[%s]" % b",".join([text] * 5))[0]
"""
LONGEST = 0.15  # seconds; most stall for less than 0.05, and stalled for up to 1.2
SIZE = 8 * 2**20 - 200
PREDICT, GRADIENT, INSTANCES = "/predict", "/gradient", "/invocations"
INFER, INDEX = "/v2/models/fixture/infer", "/v2/repository/index"
KEYS = b",".join(b'"%06d":1' % i for i in range(690_000))


def full(before: bytes, piece: bytes, after: bytes) -> bytes:
    return before + (piece * ((SIZE - len(before + after)) // len(piece))).rstrip(b",") + after


def tensor(data: bytes, beside: bytes = b"", rows: int = 4096) -> bytes:
    head = b'"name": "inputs", "datatype": "FP32", "shape": [%d, 4]' % rows
    return b'{%s"inputs": [{%s, "data": [' % (beside, head) + data + b"]}]}"


BODIES = {
    "short numbers": (PREDICT, full(b'{"inputs": [', b"1,", b"]}"), 422),
    "long numbers": (
        PREDICT,
        b'{"inputs": [' + b",".join([b"[0.%s, 2, 3, 4]" % (b"1" * 1900)] * 4096) + b"]}",
        200,
    ),
    "one number": (PREDICT, full(b'{"inputs": [1, 2, 3, 0.', b"1", b"]}"), 200),
    "a million records": (PREDICT, full(b'{"records": [', b"{},", b"]}"), 422),
    "one key": (PREDICT, full(b'{"', b"k", b'": 1}'), 422),
    "one text": (PREDICT, full(b'{"inputs": "', b"x", b'"}'), 422),
    "many keys": (PREDICT, b"{" + KEYS + b"}", 422),
    "one key again and again": (PREDICT, full(b"{", b'"a":1,', b"}"), 422),
    "objects in a row": (PREDICT, full(b'{"inputs": [1', b",{}", b"]}"), 422),
    "lists in lists": (PREDICT, full(b'{"inputs": [', b"[[]],", b"]}"), 422),
    "texts": (PREDICT, full(b'{"inputs": [', b'"",', b"]}"), 422),
    "a boolean behind numbers": (PREDICT, full(b'{"inputs": [[', b"1,", b",true]]}"), 422),
    "texts without an end": (PREDICT, full(b'{"inputs": [', b'"",', b"]"), 400),
    "objects without an end": (PREDICT, full(b'{"inputs": [', b'{"a":1},', b"]"), 400),
    "long integers": (PREDICT, full(b'{"records": [{"a": [', b"9" * 30 + b",", b"]}]}"), 422),
    "labels": (GRADIENT, full(b'{"inputs": [1, 2, 3, 4], "labels": [', b"{},", b"]}"), 422),
    "a vector of vectors": (
        GRADIENT,
        full(b'{"inputs": [1, 2, 3, 4], "mode": "vjp", "vector": [', b"[1],", b"]}"),
        422,
    ),
    "targets": (
        GRADIENT,
        full(b'{"inputs": [1, 2, 3, 4], "attribute": "saliency", "target": [', b"{},", b"]}"),
        422,
    ),
    "tensor of short numbers": (INFER, full(tensor(b"")[:-4], b"1,", b"]}]}"), 400),
    "tensor of rows": (INFER, full(tensor(b"")[:-4], b"[1,2,3,4],", b"]}]}"), 400),
    "largest tensor": (INFER, tensor(b",".join([b"0.%s" % (b"7" * 500)] * 16_384)), 200),
    "inputs": (INFER, full(b'{"inputs": [', b"{},", b"]}"), 400),
    "outputs": (
        INFER,
        full(tensor(b"1,2,3,4", rows=1)[:-1] + b', "outputs": [', b"{},", b"]}"),
        400,
    ),
    "parameters": (INFER, tensor(b"1", b'"parameters": {' + KEYS + b"},"), 400),
    "unknown members": (INFER, b"{" + KEYS + b"}", 400),
    "an index": (INDEX, b"{" + KEYS + b"}", 400),
    "a data frame": (INSTANCES, full(b'{"dataframe_split": {"data": [', b"1,", b"]}}"), 400),
    "columns": (
        INSTANCES,
        full(b'{"dataframe_split": {"data": [[1, 2, 3, 4]], "columns": [', b'"",', b"]}}"),
        400,
    ),
    "members of a data frame": (INSTANCES, b'{"dataframe_split": {' + KEYS + b"}}", 400),
}


@pytest.fixture(scope="module")
def ticking(model_file: Path) -> Iterator[Server]:
    with serving(model_file, program=TICKING % "") as server:
        yield server


def stall(server: Server, path: str, body: bytes) -> tuple[int, float]:
    """Status of the answer, and seconds for which the loop stood still; the better of two tries."""
    longest = []
    for _ in range(2):
        (answer,) = said(server, post(path, "Connection: close", body=body))
        before = len(server.stderr)
        os.kill(server.process.pid, signal.SIGUSR1)
        deadline = time.monotonic() + DEADLINE
        while len(server.stderr) == before:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        longest.append(float(server.stderr[-1].split()[2]))
    return answer.status, min(longest)


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_large_in_any_way_holds_up_nobody(name: str, ticking: Server) -> None:
    path, body, status = BODIES[name]
    said(ticking, post("/predict", "Connection: close"))

    found, seconds = stall(ticking, path, body)

    assert found == status
    assert seconds < LONGEST


def test_a_control_that_reads_everything_at_once_is_noticed(model_file: Path) -> None:
    with serving(model_file, program=TICKING % AT_ONCE) as server:
        assert stall(server, *BODIES["texts"][:2])[1] > LONGEST
        assert stall(server, *BODIES["objects in a row"][:2])[1] > LONGEST
