import asyncio
import gc
import gzip
import json
import signal
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Message

from app.admission import Admission, Room, weight_of
from app.calls import Call
from app.codecs.bodies import read_inference_body
from app.errors import DeadlineError, OverloadedError
from tests.attacks.raw import Reader, connect, post
from tests.serving import DEADLINE, Server, serving


def run_in(admission: Admission, *pieces: object) -> list[object]:
    async def all_of_them() -> list[object]:
        return await asyncio.gather(
            *(admission.work(piece) for piece in pieces),  # type: ignore[arg-type]
            return_exceptions=True,
        )

    return asyncio.run(all_of_them())


def test_work_is_done_in_another_thread() -> None:
    assert run_in(Admission(Room()), threading.get_ident) != [threading.get_ident()]


def test_what_does_not_fit_is_refused_and_what_waits_is_done() -> None:
    gate = threading.Event()
    admission = Admission(Room(threads=1, waiting=2))

    def last() -> None:
        gate.set()

    async def scenario() -> list[object]:
        running = [asyncio.ensure_future(admission.work(gate.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError, match="2 large requests wait already"):
            await admission.work(last)
        gate.set()
        return await asyncio.gather(*running)

    assert asyncio.run(scenario()) == [True] * 3
    assert run_in(admission, lambda: 7) == [7]


def test_who_is_too_late_is_told_and_gives_back_his_place() -> None:
    gate = threading.Event()
    admission = Admission(Room(threads=1, waiting=1, seconds=0.05))

    found = run_in(admission, gate.wait, gate.wait)
    unfinished = admission.unfinished
    gate.set()

    assert [type(error) for error in found] == [DeadlineError, DeadlineError]
    assert unfinished == 1  # the one that had begun: threads cannot be stopped
    deadline = time.monotonic() + DEADLINE
    while admission.unfinished and time.monotonic() < deadline:
        time.sleep(0.01)
    assert admission.unfinished == 0


def test_a_failure_in_a_thread_is_a_failure_here() -> None:
    (found,) = run_in(Admission(Room()), lambda: 1 / 0)

    assert isinstance(found, ZeroDivisionError)


def test_a_failure_keeps_nothing_that_it_worked_on_in_memory() -> None:
    class Body:
        """Something that can be seen to go."""

    def refuse(body: Body) -> None:
        raise ValueError(type(body).__name__)

    async def scenario() -> weakref.ref[Body]:
        body = Body()
        with pytest.raises(ValueError, match="Body"):
            await Admission(Room()).work(partial(refuse, body))
        return weakref.ref(body)

    gc.disable()  # it would come too late: large bodies are few objects
    try:
        body = asyncio.run(scenario())
        deadline = time.monotonic() + DEADLINE
        while body() is not None and time.monotonic() < deadline:
            time.sleep(0.01)  # its thread may not have let go yet
        assert body() is None
    finally:
        gc.enable()


def test_one_body_alone_always_fits() -> None:
    admission = Admission(Room(waiting_bytes=10))

    admission.hold(1000)

    with pytest.raises(OverloadedError, match="at most 10 bytes"):
        admission.hold(1)
    admission.hold(1, before=1000)
    admission.enter()
    admission.leave(1001)
    assert (admission.requests, admission.held) == (0, 0)


def test_one_body_alone_fits_however_slowly_it_comes(model_file: Path) -> None:
    body = b'{"inputs": [1, 2, 3, 4]}' + b" " * 400_000
    with serving(model_file, max_waiting_bytes=100_000) as server, connect(server) as connection:
        sent = post(body=body)
        for start in range(0, len(sent), 150_000):
            connection.sendall(sent[start : start + 150_000])
            time.sleep(0.1)
        answer = Reader(connection).next()

    assert answer is not None
    assert answer.status == 200, answer.body


def test_a_body_counts_as_it_is_when_it_is_unpacked() -> None:
    content = b" " * 2**20
    admission = Admission(Room(waiting_bytes=2**20))

    async def receive() -> Message:
        return {"type": "http.request", "body": gzip.compress(content), "more_body": False}

    def ask() -> Call:
        headers = [(b"content-encoding", b"gzip")]
        return Call({"type": "http", "headers": headers}, receive, admission)

    first = ask()
    assert asyncio.run(read_inference_body(first, 2**20)) == content
    assert (first.held, admission.held) == (2**20, 2**20)
    with pytest.raises(OverloadedError):
        asyncio.run(read_inference_body(ask(), 2**20))


# Features, hidden units and classes of a network; then bytes of a body, numbers in it.
@pytest.mark.parametrize(
    ("widths", "text", "numbers", "light"),
    [
        ((784, 256, 10), 10_000, 5_000, True),
        ((784, 256, 10), 300_000, 150_000, False),
        ((784, 4096, 10), 100_000, 50_000, False),
        ((4, 7, 900), 40_000, 20_000, False),  # a short question with a long answer
        ((1, 1000, 1000), 1_000, 500, False),
    ],
)
def test_weight_is_that_of_reading_computing_and_writing(
    widths: tuple[int, int, int], text: int, numbers: int, light: bool
) -> None:
    async def thread() -> int:
        return await Admission(Room()).worked(weight_of(widths, text, numbers), threading.get_ident)

    assert (asyncio.run(thread()) == threading.get_ident()) is light


JSON = "application/json"
BODY = json.dumps({"inputs": [[0.125] * 4] * 4096})


def flood(server: Server, requests: int) -> list[httpx.Response]:
    def ask(_: int) -> httpx.Response:
        with server.client() as client:
            return client.post("/gradient", content=BODY, headers={"content-type": JSON})

    with ThreadPoolExecutor(requests) as pool:
        return list(pool.map(ask, range(requests)))


@pytest.mark.parametrize("path", ["/predict", "/v2/models/fixture/infer"])
def test_too_many_requests_are_told_when_to_come_back(path: str, model_file: Path) -> None:
    # This one is not through before its body is; until then no other is let in.
    arrived, go_on = threading.Event(), threading.Event()

    def slowly() -> Iterator[bytes]:
        yield b'{"inputs": '
        arrived.set()
        go_on.wait(DEADLINE)
        yield b"[1, 2, 3, 4]}"

    with (
        serving(model_file, max_requests=1) as server,
        server.client() as client,
        server.client() as other,
        ThreadPoolExecutor(1) as pool,
    ):
        slow = pool.submit(
            lambda: other.post("/predict", content=slowly(), headers={"content-type": JSON})
        )
        assert arrived.wait(DEADLINE)
        refused = client.post(path, json={"inputs": [1, 2, 3, 4]})
        while refused.status_code != 503:  # the slow one may not have come yet
            refused = client.post(path, json={"inputs": [1, 2, 3, 4]})
        healthy = client.get("/livez")
        go_on.set()
        assert slow.result(DEADLINE).status_code == 200
        after = client.post("/predict", json={"inputs": [1, 2, 3, 4]})

    assert refused.headers["retry-after"] in {"1", "2", "3"}
    assert "at most 1 requests" in refused.text
    assert healthy.status_code == after.status_code == 200
    if path == "/predict":
        assert refused.json()["type"] == "/problems/overloaded"
    else:
        assert refused.json()["error"]


def test_a_flood_of_large_requests_is_answered_or_refused_and_forgotten(model_file: Path) -> None:
    with serving(model_file, max_waiting=1, work_threads=1) as server:
        found = flood(server, 16)
        with server.client() as client:
            after = client.post("/gradient", content=BODY, headers={"content-type": JSON})

    statuses = [answer.status_code for answer in found]
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 2
    assert after.status_code == 200


def test_work_that_takes_too_long_is_given_up(model_file: Path) -> None:
    with serving(model_file, deadline_seconds=0.001) as server, server.client() as client:
        found = client.post("/gradient", content=BODY, headers={"content-type": JSON})
        health = client.get("/livez")

    assert found.status_code == 503
    assert found.json()["type"] == "/problems/deadline-exceeded"
    assert "0.001 seconds" in found.json()["detail"]
    assert health.status_code == 200


def burst(server: Server, requests: int, path: bytes, rows: int = 1) -> list[bytes]:
    """Requests that arrive at the same moment, each on a connection of its own; status codes."""
    body = b'{"inputs": [%s]}' % b",".join([b"[1,2,3,4]"] * rows)
    sent = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" % path
    sent += b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    found = urlsplit(server.url)
    address = (found.hostname or "", found.port or 0)
    connections = [socket.create_connection(address, DEADLINE) for _ in range(requests)]
    for connection in connections:  # all of them are accepted, once each has an answer
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    # While the server stands still nothing is read, and then everything at once.
    server.process.send_signal(signal.SIGSTOP)
    for connection in connections:
        connection.sendall(sent)
    server.process.send_signal(signal.SIGCONT)
    statuses = []
    for connection in connections:
        with connection, connection.makefile("rb") as answer:
            statuses.append(answer.read()[9:12])
    return statuses


def test_what_comes_faster_than_it_can_be_answered_is_refused(model_file: Path) -> None:
    with serving(model_file, max_backlog=8) as server, server.client() as client:
        # Of small requests a hundred are answered before they would count as waiting.
        statuses = burst(server, 100, b"/predict", rows=2000)
        after = client.post("/predict", json={"inputs": [1, 2, 3, 4]})

    assert set(statuses) == {b"200", b"503"}
    assert statuses.count(b"200") >= 8
    assert statuses.count(b"503") >= 20
    assert after.status_code == 200


def test_a_burst_that_fits_is_answered(model_file: Path) -> None:
    with serving(model_file) as server:
        assert burst(server, 100, b"/predict") == [b"200"] * 100
