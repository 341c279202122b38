"""Processes to measure from outside: how long until they answer, what they use. Linux only."""

import http.client
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import orjson

from tests.benchmarks.timing import Timing
from tests.serving import DEADLINE, ROOT, environment

SOFTLENS = (sys.executable, "-c", "from app.cli import main; main()")
SERVER = (sys.executable, "-m", "app.server")
HELLO = (sys.executable, "-m", "tests.benchmarks.hello")
UNGUARDED = (sys.executable, "-m", "tests.benchmarks.unguarded")
RAW = (sys.executable, "-m", "tests.benchmarks.raw")


class Running(NamedTuple):
    """A server that has said where it listens."""

    pid: int
    port: int
    started: float  # time.perf_counter() when it was started


@contextmanager
def running(command: tuple[str, ...], **settings: object) -> Generator[Running, None, None]:
    """Run a server on a free port until the block ends."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(port=0, **settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    alarm = threading.Timer(DEADLINE, process.kill)
    alarm.start()
    try:
        port = _announced_port(process)
        alarm.cancel()
        yield Running(process.pid, port, started)
    finally:
        alarm.cancel()
        _end(process)


def _announced_port(process: "subprocess.Popen[str]") -> int:
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise RuntimeError(f"expected an address, got {''.join(lines)!r}")


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    assert process.stderr is not None
    process.stderr.close()


def first_answer(command: tuple[str, ...], body: bytes, **settings: object) -> Timing:
    """From the start of a server until it has answered one prediction."""
    with running(command, **settings) as server, connected(server) as connection:
        predict(connection, body)
        return Timing(time.perf_counter() - server.started, cpu_seconds(server.pid))


def finished(command: tuple[str, ...]) -> Timing:
    """A whole process, from start to end."""
    wall, cpu = time.perf_counter(), _children_cpu()
    subprocess.run(
        command,
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        timeout=DEADLINE,
        check=True,
    )
    return Timing(time.perf_counter() - wall, _children_cpu() - cpu)


@contextmanager
def connected(server: Running) -> Generator[http.client.HTTPConnection, None, None]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, DEADLINE)) as connection:
        yield connection


def predict(connection: http.client.HTTPConnection, body: bytes) -> None:
    connection.request("POST", "/predict", body, {"content-type": "application/json"})
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        raise RuntimeError(f"expected 200, got {response.status}: {answer!r}")


def body_of(rows: int, features: int) -> bytes:
    """A question for /predict whose numbers have all the digits of a float64 in [0, 1)."""
    inputs = np.random.default_rng(rows).random((rows, features))
    return orjson.dumps({"inputs": inputs}, option=orjson.OPT_SERIALIZE_NUMPY)


def cpu_seconds(pid: int) -> float:
    """CPU time used so far by all threads of a process: the clock of clock_getcpuclockid(3)."""
    return time.clock_gettime(~pid << 3 | 2)


def resident_mib(pid: int) -> float:
    """VmRSS of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kib) / 1024


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
