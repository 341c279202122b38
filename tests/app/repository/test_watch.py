import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app.repository import Repository
from app.repository.scan import Listing, scan
from app.repository.watch import Calls, watching
from tests.app.repository.folders import put
from tests.serving import DEADLINE, Server, environment, serving

UNLOADING = """
import signal, sys
import app.server.answering as answering
make = answering.create_app
def create_app(*given):
    app = make(*given)
    signal.signal(signal.SIGUSR1, lambda *_: app.service.repository.unload("a"))
    return app
answering.create_app = create_app
from app.server.run import serve
sys.exit(serve({}))
"""


def hangup(server: Server) -> None:
    server.process.send_signal(signal.SIGHUP)


def until(seen: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not seen():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def version_of(client: httpx.Client) -> str:
    return str(client.get("/models/a").json()["version"])


def test_a_hangup_looks_at_once(tmp_path: Path) -> None:
    put(tmp_path / "a" / "1" / "model.npz")
    with serving(tmp_path, reload_seconds=0) as server, server.client() as client:
        put(tmp_path / "a" / "2" / "model.npz")
        assert version_of(client) == "1"

        hangup(server)

        until(lambda: version_of(client) == "2", "".join(server.stderr))


def test_what_goes_is_noticed_by_one_hangup_alone(tmp_path: Path) -> None:
    """The look that misses it is followed by another, even where nothing is looked at by itself."""
    put(tmp_path / "a" / "1" / "model.npz")
    gone = put(tmp_path / "a" / "2" / "model.npz")
    with serving(tmp_path, reload_seconds=0) as server, server.client() as client:
        gone.unlink()

        hangup(server)

        until(lambda: version_of(client) == "1", "".join(server.stderr))


def test_the_folder_is_looked_at_every_few_seconds(tmp_path: Path) -> None:
    put(tmp_path / "a" / "1" / "model.npz")
    with serving(tmp_path, reload_seconds=0.05) as server, server.client() as client:
        put(tmp_path / "a" / "2" / "model.npz")

        until(lambda: version_of(client) == "2", "".join(server.stderr))


def test_the_policy_is_a_setting(tmp_path: Path) -> None:
    for version in "12":
        put(tmp_path / "a" / version / "model.npz")

    with serving(tmp_path, model_policy="latest") as server, server.client() as client:
        answer = client.get("/models").json()

    assert [model["version"] for model in answer["models"]] == ["2"]
    (entry,) = answer["unserved"]
    assert entry == {
        "name": "a", "version": "1", "state": "UNAVAILABLE", "reason": "version 2 is newer",
    }  # fmt: skip


def test_the_policy_is_an_option(tmp_path: Path) -> None:
    for version in "12":
        put(tmp_path / "a" / version / "model.npz")
    arguments = ["softlens", "serve", "--model-policy", "latest"]
    program = f"import sys; sys.argv = {arguments}; from app.cli import main; main()"

    with serving(tmp_path, program=program) as server, server.client() as client:
        assert [model["version"] for model in client.get("/models").json()["models"]] == ["2"]


def test_calls_that_come_during_a_look_are_answered_by_one(tmp_path: Path) -> None:
    put(tmp_path / "a.npz")
    listing, looking, go_on = scan(tmp_path), threading.Semaphore(0), threading.Semaphore(1)

    def listed() -> Listing:
        looking.release()
        assert go_on.acquire(timeout=DEADLINE)
        return listing

    repository, calls = Repository(listed, "all"), Calls()
    repository.start()
    assert looking.acquire(timeout=DEADLINE)
    with watching(repository, 0, calls):
        calls.put(True)
        assert looking.acquire(timeout=DEADLINE)
        for _ in range(5):
            calls.put(True)
        go_on.release(9)

        assert looking.acquire(timeout=DEADLINE)

    assert not looking.acquire(blocking=False)


def test_a_look_that_fails_is_logged_and_not_the_last(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "a.npz")
    listing, done = scan(tmp_path), threading.Event()
    answers = iter([ZeroDivisionError("planted"), None])

    def listed() -> Listing:
        if not repository.all():
            return listing
        if error := next(answers):
            raise error
        done.set()
        return listing

    repository, calls = Repository(listed, "all"), Calls()
    repository.start()
    with watching(repository, 0, calls):
        calls.put(True)
        until(lambda: "planted" in caplog.text, "the failure was not logged")
        calls.put(True)

        assert done.wait(DEADLINE)


def test_a_bad_file_is_listed_with_its_reason_while_the_server_stays_ready(tmp_path: Path) -> None:
    file = put(tmp_path / "a.npz")
    with serving(tmp_path, reload_seconds=0) as server, server.client() as client:
        file.write_bytes(b"no")

        hangup(server)

        until(lambda: client.get("/models").json()["unserved"] != [], "".join(server.stderr))
        (entry,) = client.get("/models").json()["unserved"]
        assert entry["state"] == "READY"
        assert entry["reason"].startswith("not a model saved by softlens")
        assert client.get("/readyz").status_code == 200
        assert client.post("/predict", json={"inputs": [1, 2, 3, 4]}).status_code == 200


def test_a_server_without_any_model_left_is_not_ready(tmp_path: Path) -> None:
    put(tmp_path / "a.npz")
    with serving(tmp_path, program=UNLOADING) as server, server.client() as client:
        assert client.get("/readyz").status_code == 200

        server.process.send_signal(signal.SIGUSR1)

        until(lambda: client.get("/readyz").status_code == 503, "".join(server.stderr))
        assert client.get("/readyz").json()["type"] == "/problems/not-ready"
        assert client.get("/livez").status_code == 200
        assert client.post("/predict", json={"inputs": [1, 2, 3, 4]}).status_code == 404
        assert client.get("/openapi.json").status_code == 200
        assert client.get("/models").json()["unserved"][0]["reason"] == "unloaded on request"


def test_a_stop_does_not_wait_behind_hangups(tmp_path: Path) -> None:
    put(tmp_path / "a.npz")
    with serving(tmp_path) as server:
        for _ in range(6):
            hangup(server)

        assert server.stop() == 0


def test_a_server_ends_with_its_terminal(tmp_path: Path) -> None:
    put(tmp_path / "a.npz")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "app.server"],
        env=environment(models=tmp_path, port=0), stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    try:
        said = b""
        while b"http://" not in said:
            said += os.read(ours, 1000)
        process.send_signal(signal.SIGHUP)  # only a look, while the terminal is there
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)

        os.close(ours)
        process.send_signal(signal.SIGHUP)

        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait()
