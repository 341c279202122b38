"""Several processes that answer, and the one that watches over them."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from app.server.patience import Patience
from tests.attacks.raw import Reader, connect, get
from tests.serving import DEADLINE, Server, environment, serving
from tests.soak.load import load
from tests.soak.scenarios import alive, children, wait_for

# Workers that end as soon as they answer: all of them, or all but the one in slot 0.
MORTAL = """
import os, sys
from app.server.run import serve
from app.server.worker import Worker
begin, make = Worker.startup, Worker.__init__
def init(self, config, life, ending, ready, place):
    make(self, config, life, ending, ready, place)
    self.slot = place.seat.slot
async def startup(self, sockets=None):
    await begin(self, sockets)
    if self.slot >= {immortal}:
        self._loop.call_later(0.05, os._exit, 9)
Worker.startup, Worker.__init__ = startup, init
sys.exit(serve({{}}))
"""


def deaths(server: Server) -> int:
    return sum("ended with exit code 9" in line for line in server.stderr)


def test_workers_answer_and_one_of_them_says_where(model_file: Path) -> None:
    with serving(model_file, workers=2) as server, server.client() as client:
        wait_for("all 2 workers answer", server)

        assert len(children(server.process.pid)) == 2
        assert client.get("/readyz").status_code == 200
        assert server.stop() == 0
    assert server.stderr == [
        "INFO open to everyone on this machine: predict, gradients; model control off\n",
        f"INFO serving fixture version 1 on {server.url}\n",
        "INFO all 2 workers answer; BLAS threads of each: 1\n",
    ]


def test_workers_are_an_option(model_file: Path) -> None:
    arguments = ["softlens", "serve", str(model_file), "--workers", "2"]
    program = f"import sys; sys.argv = {arguments}; from app.cli import main; main()"

    with serving(None, program=program) as server:
        wait_for("all 2 workers answer", server)


def test_processors_are_shared_among_the_workers(model_file: Path) -> None:
    program = "import os; del os.environ['OPENBLAS_NUM_THREADS']\n"
    program += "import sys; from app.server.run import serve; sys.exit(serve({}))"
    threads = max(1, len(os.sched_getaffinity(0)) // 2)

    with serving(model_file, program=program, workers=2) as server:
        wait_for(f"BLAS threads of each: {threads}", server)


def test_a_supervisor_is_light(model_file: Path) -> None:
    with serving(model_file, workers=2) as server:
        maps = Path(f"/proc/{server.process.pid}/maps").read_text()

    assert "numpy" not in maps
    assert "uvloop" not in maps
    shown = "import sys, app.server.run; print({'numpy', 'fastapi'} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", shown],
        env=environment(), capture_output=True, text=True, check=True, timeout=DEADLINE,
    )  # fmt: skip
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("settings", "code", "reason"),
    [
        ({"models": "absent.npz"}, 66, "absent.npz: No such file or directory"),
        ({"models": __file__}, 65, "not a model saved by softlens"),
        ({"host": "192.0.2.1"}, 69, "cannot listen on 192.0.2.1"),
        ({"workers": 0}, 78, "SOFTLENS_WORKERS"),
        ({"workers": 10**6}, 78, "SOFTLENS_WORKERS"),
    ],
)
def test_a_bad_start_is_one_line_and_its_exit_code(
    settings: dict[str, object], code: int, reason: str, model_file: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.server"],
        env=environment(**{"models": model_file, "port": 0, "workers": 3} | settings),
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
    assert reason in done.stderr


def test_workers_that_all_keep_dying_end_the_server(model_file: Path) -> None:
    with serving(model_file, MORTAL.format(immortal=0), workers=2) as server:
        code = server.process.wait(DEADLINE)

    assert code == 9
    assert server.stderr[-1].startswith("softlens: workers keep ending; the last one: worker ")
    assert deaths(server) <= 8


def test_workers_that_keep_dying_do_not_take_the_others_along(model_file: Path) -> None:
    with serving(model_file, MORTAL.format(immortal=1), workers=2) as server:
        with load(server.url, clients=1) as asked:
            wait_for("another one starts in 2 s", server)
            asked.wait_for_more(1)
        assert server.stop() == 0

    assert deaths(server) <= 5  # in some four seconds


def test_the_pause_before_a_replacement_doubles_while_they_die_young() -> None:
    patience, now = Patience(), time.monotonic()

    pauses = [patience.lost(True, now) for _ in range(9)]

    assert pauses == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert patience.exhausted()
    assert not patience.over()
    assert patience.lost(True, now - 60) == 0
    assert not patience.exhausted()


def test_a_worker_that_is_told_to_end_is_replaced_first(model_file: Path) -> None:
    with serving(model_file, workers=2) as server, load(server.url, clients=4) as asked:
        wait_for("all 2 workers answer", server)
        leaver = children(server.process.pid)[0]

        os.kill(leaver, signal.SIGTERM)

        wait_for("worker 2 (pid", server)  # a seat of its own, while the other still sits
        deadline = time.monotonic() + DEADLINE
        while leaver in (now := children(server.process.pid)):
            assert time.monotonic() < deadline
        asked.wait_for_more(50)
    assert asked.lost == []
    assert len(now) == 2


def test_a_reload_that_cannot_start_leaves_the_old_workers(
    model_file: Path, tmp_path: Path
) -> None:
    model = tmp_path / "m.npz"
    model.write_bytes(model_file.read_bytes())
    with serving(model, workers=2, reload_seconds=0) as server, server.client() as client:
        wait_for("all 2 workers answer", server)
        before = children(server.process.pid)
        model.write_bytes(b"no")

        server.process.send_signal(signal.SIGHUP)

        wait_for("go on, without a reload", server)
        assert client.post("/predict", json={"inputs": [1, 2, 3, 4]}).status_code == 200
        assert client.get("/readyz").status_code == 200
        assert children(server.process.pid) == before
        model.write_bytes(model_file.read_bytes())  # and good again
        server.process.send_signal(signal.SIGHUP)
        wait_for("every worker is new", server)


def test_many_reloads_at_once_are_one_and_a_stop_does_not_wait_for_them(model_file: Path) -> None:
    with serving(model_file, workers=2) as server:
        wait_for("all 2 workers answer", server)
        for _ in range(50):
            server.process.send_signal(signal.SIGHUP)
        wait_for("every worker is new", server)
        started = sum(bool(re.search(r"worker \d \(pid \d+\) answers", x)) for x in server.stderr)
        for _ in range(6):
            server.process.send_signal(signal.SIGHUP)

        assert server.stop() == 0
    assert 2 <= started <= 6  # two; more where the signals came slower than workers start


def test_a_worker_that_is_stopped_while_it_starts_is_noticed(model_file: Path) -> None:
    with serving(model_file, workers=2) as server:
        wait_for("all 2 workers answer", server)
        os.kill(children(server.process.pid)[0], signal.SIGKILL)
        wait_for("another one starts", server)
        young = children(server.process.pid)[-1]
        os.kill(young, signal.SIGSTOP)

        wait_for("has been silent", server)
        wait_for(" answers\n", server)
        assert httpx.get(f"{server.url}/readyz", trust_env=False).status_code == 200


def test_memory_is_shared_with_workers_that_are_forked_later() -> None:
    program = (
        "import os; from app.server.seats import shared_memory; memory = shared_memory(2)\n"
        "if not os.fork(): memory[70000] = 7; os._exit(0)\n"
        "os.wait(); print(memory[70000])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(), capture_output=True, text=True, check=True, timeout=DEADLINE,
    )  # fmt: skip

    assert done.stdout == "7\n"


def test_workers_end_with_a_supervisor_that_has_not_read_what_they_said(model_file: Path) -> None:
    with serving(model_file, workers=2) as server:
        wait_for("all 2 workers answer", server)
        members = children(server.process.pid)
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(1.5)  # for a beat of each
        server.process.kill()

        deadline = time.monotonic() + DEADLINE
        while any(map(alive, members)):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_connections_that_wait_survive_the_worker_that_dies(model_file: Path) -> None:
    """They wait at one socket, which is the supervisor's, too; not each at a worker's own."""
    with serving(model_file, workers=2) as server:
        wait_for("all 2 workers answer", server)
        workers = children(server.process.pid)
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        connections = [connect(server) for _ in range(20)]
        for connection in connections:
            connection.sendall(get("/livez", "Connection: close"))
        for worker in workers:
            os.kill(worker, signal.SIGKILL)

        answers = [Reader(connection).all() for connection in connections]
        for connection in connections:
            connection.close()

    assert [[answer.status for answer in found] for found in answers] == [[200]] * 20


def test_who_is_connected_to_a_worker_that_retires_has_time_to_ask(model_file: Path) -> None:
    with serving(model_file, workers=2) as server:
        wait_for("all 2 workers answer", server)
        connections = [connect(server) for _ in range(8)]
        readers = [Reader(connection) for connection in connections]
        for connection, reader in zip(connections[:4], readers[:4], strict=True):
            connection.sendall(get("/livez"))
            used = reader.next()
            assert used is not None
            assert used.status == 200
        server.process.send_signal(signal.SIGHUP)
        time.sleep(2.5)  # longer than a client may be held up on a busy machine, mostly
        for connection in connections:
            connection.sendall(get("/livez", "Connection: close"))

        answers = [reader.all() for reader in readers]
        for connection in connections:
            connection.close()

    assert [[answer.status for answer in found] for found in answers] == [[200]] * 8
