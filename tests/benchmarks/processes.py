"""Processes to measure from outside: how long until they answer, what they use. Linux only.

A server has the first core to itself and the client the second one, where there are two; a server
whose turn it is not is stopped, so that it takes nothing from the others.
"""

import http.client
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import NamedTuple

from tests.benchmarks.family import cpu_seconds, members, send
from tests.benchmarks.timing import Timing
from tests.serving import DEADLINE, ROOT, environment

SOFTLENS = (sys.executable, "-c", "from app.cli import main; main()")
PAUSE = 0.004  # seconds between two attempts at a first answer


class Question(NamedTuple):
    """What is posted to a server."""

    path: str
    body: bytes
    json_length: int | None = None  # of what comes before a binary tensor

    def headers(self) -> dict[str, str]:
        if self.json_length is None:
            return {"content-type": "application/json"}
        return {"inference-header-content-length": str(self.json_length)}

    def request(self) -> bytes:
        """As it goes over the wire."""
        fields = self.headers() | {"host": "127.0.0.1", "content-length": str(len(self.body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"POST {self.path} HTTP/1.1\r\n{head}\r\n".encode() + self.body


class Server(NamedTuple):
    """One that answers."""

    pid: int
    port: int
    seconds: float  # from its start to its first answer
    answer: bytes  # that one


class Measurement(NamedTuple):
    """What a while of load was like."""

    cpu: float  # seconds of the server for one request
    rate: float  # requests a second
    p50: float  # seconds of latency
    p99: float


@contextmanager
def running(
    command: Sequence[str], port: int, question: Question, **variables: str
) -> Generator[Server, None, None]:
    """Run a server until the block ends, which begins with its first answer.

    Raises:
        RuntimeError: it does not answer, or not with 200; the message has the end of its log.
    """
    with tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            [*_on_core(0), *command],
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            answer = _first_answer(process, port, question)
            yield Server(process.pid, port, time.perf_counter() - started, answer)
        except (LookupError, RuntimeError) as error:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 500))
            raise RuntimeError(f"{error}: {log.read().decode(errors='replace')}") from None
        finally:
            _end(process)


def _first_answer(process: "subprocess.Popen[bytes]", port: int, question: Question) -> bytes:
    end = time.perf_counter() + DEADLINE
    while time.perf_counter() < end and process.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            status, answer = ask(port, question)
            if status == 200:
                return answer
            if status < 500 and status != 404:  # which means that it is not ready yet
                raise RuntimeError(f"expected 200, got {status} {answer[:200]!r}")
        time.sleep(PAUSE)
    raise RuntimeError("no answer")


def ask(port: int, question: Question) -> tuple[int, bytes]:
    """One request on a connection of its own: status and body of the answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)) as connection:
        connection.request("POST", question.path, question.body, question.headers())
        response = connection.getresponse()
        return response.status, response.read()


def measured(server: Server, question: Question, connections: int, seconds: float) -> Measurement:
    """Load from another process, on a core of its own."""
    before = cpu_seconds(server.pid)
    answer = subprocess.run(
        [
            *_on_core(1), sys.executable, "-m", "tests.benchmarks.load",
            str(server.port), str(connections), str(seconds),
        ],
        cwd=ROOT,
        env=environment(),
        input=question.request(),
        stdout=subprocess.PIPE,
        timeout=DEADLINE + seconds,
        check=True,
    ).stdout  # fmt: skip
    used = cpu_seconds(server.pid) - before

    seen = json.loads(answer)
    requests = seen["requests"]
    return Measurement(used / requests, requests / seen["seconds"], seen["p50"], seen["p99"])


@contextmanager
def awake(server: Server) -> Generator[None, None, None]:
    """Let a stopped server run until the block ends."""
    send(server.pid, signal.SIGCONT)
    try:
        yield
    finally:
        stop(server)


def stop(server: Server) -> None:
    """Let it take no more time, until it is woken."""
    send(server.pid, signal.SIGSTOP)


def finished(command: Sequence[str]) -> Timing:
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


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on at the moment."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def _on_core(number: int) -> list[str]:
    many = (os.cpu_count() or 1) > 1 and shutil.which("taskset")
    return ["taskset", "--cpu-list", str(number)] if many else []


def _end(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM to the first of them; whoever is still there ten seconds later is killed."""
    send(process.pid, signal.SIGCONT)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    for member in members(process.pid):
        if member != process.pid or process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
    process.wait()


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
