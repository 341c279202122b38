import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from app.admission import Admission, Room
from app.calls import Call
from app.observability.requests import RequestLog
from tests.serving import DEADLINE, Server, environment, serving

ROWS = {"inputs": [[1.0, 2.0, 3.0, 4.0]]}
SECRET = "4111-secret"  # noqa: S105  nobody's
Told = dict[str, Any]  # Any: what JSON holds


def told(server: Server, event: str = "request") -> list[Told]:
    """The lines of one kind that a server has written, once it has ended."""
    server.stop()
    deadline = time.monotonic() + DEADLINE
    while server.process.poll() is None:
        assert time.monotonic() < deadline
    time.sleep(0.2)  # for the thread that reads them
    lines = [json.loads(line) for line in server.stderr]
    return [line for line in lines if line["event"] == event]


def a_call(route: str) -> Call:
    scope = {"type": "http", "method": "GET", "path": route, "headers": []}
    call = Call(scope, Request(scope).receive, Admission(Room()))
    call.route = route
    return call


def test_a_line_holds_what_is_promised(model_file: Path) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    with serving(model_file, request_log="all", log_format="json") as server:
        with server.client() as client:
            client.post("/predict", json=ROWS, headers={"x-request-id": "mine-1"})
            given = client.post("/predict", json={"inputs": [1]}).headers["x-request-id"]
            client.get("/absent")
        answered, refused, unmatched = told(server)

    assert datetime.fromisoformat(answered.pop("ts")) > before
    assert 0 < answered.pop("duration_ms") < DEADLINE * 1e3
    assert answered == {
        "level": "info", "event": "request", "pid": server.process.pid, "request_id": "mine-1",
        "method": "POST", "route": "/predict", "status": 200, "rows": 1, "model": "fixture",
        "model_version": "1",
    }  # fmt: skip
    assert (refused["request_id"], refused["reason"]) == (given, "wrong-width")
    assert (unmatched["route"], unmatched["status"]) == ("unmatched", 404)


def test_other_lines_have_the_same_form(model_file: Path) -> None:
    with serving(model_file, log_format="json") as server:
        _, start = told(server, "message")

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", start["ts"])
    assert start["message"] == f"serving fixture version 1 on {server.url}"
    assert (start["level"], start["logger"]) == ("info", "softlens")


def test_a_bug_is_one_line_with_its_trace(model_file: Path) -> None:
    program = (
        "from app.service import Service\n"
        "def broken(*_):\n    raise ZeroDivisionError('planted \\x1b[31m secret')\n"
        "Service.predict = broken\n"
        "import sys; from app.server.run import serve; sys.exit(serve({}))\n"
    )
    with serving(model_file, program, log_format="json", request_log="all") as server:
        with server.client() as client:
            answer = client.post("/predict", json=ROWS)
        messages = told(server, "message")
    (line,) = (json.loads(line) for line in server.stderr if '"request"' in line)

    (bug,) = (line for line in messages if line["level"] == "error")
    assert answer.headers["x-request-id"] in bug["message"]
    assert "ZeroDivisionError: planted \\x1b[31m secret" in bug["trace"]
    assert (line["level"], line["reason"]) == ("warning", "internal-error")


def test_people_get_text(model_file: Path) -> None:
    with serving(model_file, request_log="all", log_format="text") as server:
        with server.client() as client:
            client.post("/predict", json=ROWS)
            given = client.post("/predict", json={}).headers["x-request-id"]
        server.stop()
        time.sleep(0.2)

    _, _, answered, refused = server.stderr
    assert re.fullmatch(
        r"INFO POST /predict 200 in \d+\.\d ms, 1 row of fixture version 1\n", answered
    )
    assert re.fullmatch(
        rf"INFO POST /predict 422 in \d+\.\d ms, missing-field, request {given}\n", refused
    )


def test_where_stderr_is_no_terminal_lines_are_objects(model_file: Path) -> None:
    with serving(model_file, log_format="auto") as server:
        assert json.loads(server.stderr[0])["event"] == "message"


def test_nothing_that_a_client_sends_is_logged(model_file: Path) -> None:
    """Not in bodies, headers, queries, paths or methods; two ids are repeated, where safe."""
    headers = {
        "authorization": f"Bearer {SECRET}", "cookie": SECRET, "user-agent": SECRET,
        "x-request-id": f"{SECRET} ?", "traceparent": f"00-{SECRET}",
    }  # fmt: skip
    with serving(model_file, request_log="all", log_format="json") as server:
        with server.client() as client:
            for body in ({"inputs": [[123456.75, 2, 3, 4]]}, {SECRET: 1}, {"inputs": SECRET}):
                client.post("/predict", json=body, headers=headers)
            client.get(f"/{SECRET}?key={SECRET}", headers=headers)
            client.get(f"/models/{SECRET}", headers=headers)
            client.post(f"/v2/models/{SECRET}/infer", json={"id": SECRET}, headers=headers)
        lines = told(server)

    assert len(lines) == 6
    assert SECRET not in "".join(server.stderr)
    assert "123456" not in "".join(server.stderr)


def test_a_sample_is_so_many_lines_a_second_and_tells_of_the_others() -> None:
    written: list[bytes] = []
    log = RequestLog("sampled", 3, as_json=True, write=written.append)

    began = time.monotonic()
    while time.monotonic() < int(began) + 2.1:  # over two seconds that begin
        log.note(a_call("/models"), 200, 0.001)
    log.close()

    lines = [json.loads(line) for line in b"".join(written).splitlines()]
    seconds = int(time.monotonic()) - int(began) + 1
    assert 3 * (seconds - 1) <= len(lines) <= 3 * seconds
    assert [line.get("skipped", 0) > 100 for line in lines[:6]] == [
        False, False, False, True, False, False,
    ]  # fmt: skip


def test_health_checks_that_went_well_are_no_news_in_a_sample() -> None:
    written: list[bytes] = []
    log = RequestLog("sampled", 100, as_json=True, write=written.append)

    log.note(a_call("/livez"), 200, 0.001)
    log.note(a_call("/readyz"), 503, 0.001)
    log.close()

    lines = [json.loads(line) for line in b"".join(written).splitlines()]
    assert [(line["route"], line["status"]) for line in lines] == [("/readyz", 503)]


def test_a_sample_is_what_is_logged_unless_told_otherwise(model_file: Path) -> None:
    with serving(model_file, request_log="", log_format="json") as server:
        with server.client() as client:
            client.get("/livez")
            client.get("/models")
        assert [line["route"] for line in told(server)] == ["/models"]


@pytest.mark.parametrize(
    ("settings", "statuses"),
    [
        ({"request_log": "off"}, []),
        ({"request_log": "all", "log_level": "warning"}, [500]),
        ({"request_log": "all"}, [404, 500]),
    ],
)
def test_what_is_not_wanted_is_not_logged(
    settings: dict[str, str], statuses: list[int], model_file: Path
) -> None:
    program = (
        "import sys\nfrom app.server.run import serve\nfrom app.service import Service\n"
        "def broken(*_):\n    raise ZeroDivisionError\n"
        "Service.predict = broken\n"
        "sys.exit(serve({}, lambda url: print(url, file=sys.stderr, flush=True)))\n"
    )
    with serving(model_file, program, **settings) as server:
        with server.client() as client:
            client.get("/absent")
            client.post("/predict", json=ROWS)
        server.stop()
        time.sleep(0.2)

    found = re.findall(r" (\d{3}) in ", "".join(server.stderr))
    assert [int(status) for status in found] == statuses


def test_a_log_that_nobody_reads_delays_no_answer(model_file: Path) -> None:
    """Far more lines than a pipe holds, and nobody at its other end."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "app.server"],
        env=environment(models=model_file, port=0, request_log="all", log_format="json"),
        stderr=writing,
    )
    os.close(writing)
    try:
        url, said = None, b""
        while url is None:
            said += os.read(reading, 4096)
            url = re.search(rb"http://[^\s\"]+", said)
        with httpx.Client(
            base_url=url.group().decode(), timeout=DEADLINE, trust_env=False
        ) as client:
            for _ in range(1000):
                assert client.get("/models").status_code == 200
        process.terminate()
        assert process.wait(timeout=DEADLINE) == 0
    finally:
        process.kill()
        process.wait(timeout=DEADLINE)
        os.close(reading)


def test_a_writer_that_waits_does_delay_its_caller() -> None:
    """The control of the test above: written in place, a full pipe does stop whoever writes."""
    reading, writing = os.pipe()
    writer = threading.Thread(target=os.write, args=(writing, bytes(2**20)), daemon=True)
    writer.start()
    writer.join(0.5)

    waits = writer.is_alive()
    os.set_blocking(reading, False)
    while writer.is_alive():
        os.read(reading, 2**16)
        writer.join(0.01)
    os.close(reading)
    os.close(writing)
    assert waits


def test_lines_that_wait_are_bounded_and_the_others_are_told_of() -> None:
    written: list[bytes] = []
    gate = threading.Event()

    def write(lines: bytes) -> None:
        gate.wait(DEADLINE)
        written.append(lines)

    log = RequestLog("all", 1, as_json=True, write=write)
    for _ in range(30_000):
        log.note(a_call("/models"), 200, 0.001)
    gate.set()
    deadline = time.monotonic() + DEADLINE
    while b"skipped" not in b"".join(written):
        log.note(a_call("/models"), 200, 0.001)
        assert time.monotonic() < deadline
        time.sleep(0.01)
    log.close()

    lines = [json.loads(line) for line in b"".join(written).splitlines()]
    assert len(lines) < 25_000
    assert len(lines) + sum(line.get("skipped", 0) for line in lines) >= 30_000


def test_a_log_that_could_not_be_written_goes_on_when_it_can() -> None:
    written: list[bytes] = []

    def write(lines: bytes) -> None:
        written.append(lines)
        if len(written) == 1:
            raise OSError

    log = RequestLog("all", 1, as_json=True, write=write)
    deadline = time.monotonic() + DEADLINE
    while len(written) < 2:
        log.note(a_call("/models"), 200, 0.001)
        assert time.monotonic() < deadline
        time.sleep(0.01)
    log.close()


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
def test_a_log_that_cannot_be_written_harms_nobody(closed: str, model_file: Path) -> None:
    """The server's address is not told, so the port is one that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"exec '{sys.executable}' -m app.server {closed}"],
        env=environment(models=model_file, port=port, request_log="all", log_format="json"),
    )
    try:
        deadline = time.monotonic() + DEADLINE
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            while True:
                try:
                    client.get("/livez", timeout=DEADLINE)
                    break
                except httpx.TransportError:
                    assert process.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            for _ in range(20):
                assert client.post("/predict", json=ROWS).status_code == 200
        process.terminate()
        assert process.wait(timeout=DEADLINE) == 0
    finally:
        process.kill()
        process.wait(timeout=DEADLINE)
