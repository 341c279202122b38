import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from app.server.healthcheck import is_ready
from tests.serving import DEADLINE, environment, serving


def test_sigterm_ends_an_idle_server_with_success(model_file: Path) -> None:
    with serving(model_file) as server:
        assert server.stop() == 0


def test_ctrl_c_exits_130(model_file: Path) -> None:
    with serving(model_file) as server:
        server.process.send_signal(signal.SIGINT)

        assert server.process.wait(timeout=DEADLINE) == 130


def test_sigterm_lets_a_request_in_flight_finish(model_file: Path) -> None:
    """The body's end is sent after the signal; the answer still comes, whole."""
    body = b'{"inputs": [1, 2, 3, 4]}'
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with serving(model_file) as server:
        with socket.create_connection(address(server.url), timeout=DEADLINE) as connection:
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body[:10])
            with server.client() as client:  # the server has seen the beginning by now
                client.get("/livez")
            server.process.terminate()
            time.sleep(0.3)
            connection.sendall(body[10:])
            answer = connection.makefile("rb").read()
        code = server.process.wait(timeout=DEADLINE)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"probabilities":' in answer
    assert code == 0


def test_a_body_that_never_ends_does_not_keep_the_server_alive(model_file: Path) -> None:
    with (
        serving(model_file, shutdown_seconds=1) as server,
        socket.create_connection(address(server.url), timeout=DEADLINE) as connection,
    ):
        connection.sendall(
            b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 9\r\n\r\n{"
        )

        assert server.stop() == 0


def test_a_signal_while_starting_is_no_crash(model_file: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "app.server"],
        env=environment(models=model_file, port=0), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for_handler(process.pid)
    process.terminate()

    assert process.wait(timeout=DEADLINE) == 0


def test_a_taken_port_is_one_line_and_exit_69(model_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-m", "app.server"],
            env=environment(models=model_file, port=taken.getsockname()[1]),
            capture_output=True, text=True, timeout=DEADLINE, check=False,
        )  # fmt: skip

    assert done.returncode == 69
    assert "cannot listen on 127.0.0.1" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("host", ["ä" * 70, "a..b", "exa mple", "[::1]"])
def test_a_host_that_cannot_be_is_one_line_and_exit_69(host: str, model_file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.server"],
        env=environment(models=model_file, port=0, host=host),
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip

    assert done.returncode == 69
    assert "cannot listen on" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("host", ["ä" * 70, "\udcff"])
def test_the_health_check_finds_nobody_at_a_host_that_cannot_be(host: str) -> None:
    assert not is_ready(host, 1)


def test_the_shipped_model_is_served_when_nothing_is_mounted(model_file: Path) -> None:
    if Path("/models").exists():
        pytest.skip("this machine has a /models of its own")
    with serving(None, shipped_model=model_file) as server, server.client() as client:
        assert client.get("/models").json()["models"][0]["name"] == "fixture"


@pytest.mark.parametrize("name", ["", "absent"])
def test_models_that_were_asked_for_are_not_silently_replaced(
    name: str, model_file: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.server"],
        env=environment(models=tmp_path / name, shipped_model=model_file, port=0),
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip

    assert done.returncode == (66 if name else 65)
    assert str(tmp_path / name) in done.stderr


def test_every_model_that_is_served_is_logged(model_file: Path, tmp_path: Path) -> None:
    for name in ("b.npz", "a.npz"):
        shutil.copy(model_file, tmp_path / name)

    with serving(tmp_path) as server:
        server.stop()

    assert server.stderr[0].startswith("INFO open to everyone on this machine: ")
    assert server.stderr[1:] == [
        "INFO serving b version 1 under /models/b/versions/1\n",
        f"INFO serving a version 1 on {server.url}\n",
    ]


def test_serve_without_an_argument_serves_what_the_setting_says(model_file: Path) -> None:
    program = "import sys; sys.argv = ['softlens', 'serve']; from app.cli import main; main()"

    with serving(model_file, program=program) as server, server.client() as client:
        assert client.get("/models").json()["models"][0]["name"] == "fixture"


def test_the_health_check_sees_a_ready_server(model_file: Path) -> None:
    with serving(model_file) as server:
        assert is_ready("0.0.0.0", address(server.url)[1])  # noqa: S104  as a container has it


def test_the_health_check_sees_that_there_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    assert not is_ready("127.0.0.1", port)


def test_the_address_may_be_of_version_6(model_file: Path) -> None:
    if not has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    with serving(model_file, host="::1") as server:
        assert server.url.startswith("http://[::1]:")
        assert httpx.get(f"{server.url}/livez", trust_env=False).status_code == 200


def test_a_bug_is_logged_with_its_traceback_and_answered_without(model_file: Path) -> None:
    """A planted bug: the handler of the route is replaced inside a process of its own."""
    program = (
        "from app.service import Service\n"
        "def broken(*_):\n    raise ZeroDivisionError('planted secret')\n"
        "Service.predict = broken\n"
        "import sys; from app.server.run import serve; sys.exit(serve({}))\n"
    )
    with serving(model_file, program=program) as server, server.client() as client:
        answer = client.post("/predict", json={"inputs": [1, 2, 3, 4]})
        alive = client.get("/livez").status_code
        server.stop()

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/internal-error"
    assert "secret" not in answer.text
    assert "planted secret" in "".join(server.stderr)
    assert alive == 200


def test_a_length_of_thousands_of_digits_is_still_a_number(model_file: Path) -> None:
    body = b'{"inputs": [1, 2, 3, 4]}'
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += b"Connection: close\r\nContent-Length: %s%d\r\n\r\n" % (b"0" * 4299, len(body))
    with (
        serving(model_file) as server,
        socket.create_connection(address(server.url), timeout=DEADLINE) as connection,
    ):
        connection.sendall(head + body)
        answer = connection.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 200 ")


def test_an_upload_that_is_broken_off_is_nobodys_fault(model_file: Path) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with serving(model_file) as server, server.client() as client:
        said = len(server.stderr)
        for _ in range(5):
            with socket.create_connection(address(server.url), timeout=DEADLINE) as connection:
                connection.sendall(head + b"Content-Length: 100\r\n\r\n{")
        client.get("/livez")
        code = server.stop()

    assert server.stderr[said:] == []
    assert code == 0


def address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def wait_for_handler(pid: int) -> None:
    """Until the process handles SIGTERM itself, which it does before it imports anything."""
    if not Path(f"/proc/{pid}/status").exists():
        pytest.skip("needs /proc to see when the handler is there")
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        status = Path(f"/proc/{pid}/status").read_text()
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        if caught & 1 << (signal.SIGTERM - 1):
            return
        os.sched_yield()
    pytest.fail("the handler never came")
