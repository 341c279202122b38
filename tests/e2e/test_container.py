"""The built image, run as docs/deploying.md says: hardened, mounted, stopped.

IMAGE_UNDER_TEST names the image and CONTAINER_ENGINE the command that runs it; .ci/run sets both.
"""

import json
import os
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np
import pytest

from model import softmax_jacobian
from model.data import load_digits
from tests.serving import DEADLINE

IMAGE = os.environ.get("IMAGE_UNDER_TEST", "")
ENGINE = os.environ.get("CONTAINER_ENGINE", "docker")
HARDENED = (
    "--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges",
    "--memory", "256m", "--pids-limit", "64",
)  # fmt: skip

pytestmark = [
    pytest.mark.container,
    pytest.mark.skipif(not IMAGE, reason="no image was built: IMAGE_UNDER_TEST is not set"),
]


class Container(NamedTuple):
    name: str
    client: httpx.Client

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        engine("stop", "--time", "20", self.name)
        return int(engine("inspect", "--format", "{{.State.ExitCode}}", self.name))


def engine(*arguments: str) -> str:
    done = subprocess.run(
        [ENGINE, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def running(*flags: str) -> Iterator[Container]:
    """A container of the image on a free port, ready, and gone when the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    name = f"softlens-test-{uuid.uuid4().hex[:12]}"
    engine("run", "--detach", "--name", name, "--publish", f"127.0.0.1:{port}:8000", *flags, IMAGE)
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE, trust_env=False
        ) as client:
            wait_until_ready(client, name)
            yield Container(name, client)
    finally:
        subprocess.run(
            [ENGINE, "rm", "--force", name], capture_output=True, check=False, timeout=60
        )


def wait_until_ready(client: httpx.Client, name: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    logs = subprocess.run([ENGINE, "logs", name], capture_output=True, text=True, check=False)
    pytest.fail(f"not ready in time: {logs.stdout}{logs.stderr}")


@pytest.fixture(scope="module")
def hardened() -> Iterator[Container]:
    with running(*HARDENED) as container:
        yield container


def test_the_shipped_digits_are_recognised(hardened: Container) -> None:
    digits = load_digits()
    answer = hardened.client.post("/predict", json={"inputs": digits.inputs[:500].tolist()}).json()

    assert answer["model"] == "digits"
    assert np.mean(np.array(answer["labels"]) == digits.labels[:500]) > 0.97


def test_gradients_come_from_inside_the_container(hardened: Container) -> None:
    answer = hardened.client.post("/gradient", json={"logits": [[2.0, 1.0, 0.1]]}).json()

    expected = softmax_jacobian(np.array([[2.0, 1.0, 0.1]]))
    # Another CPU's exp may differ in the last digit.
    np.testing.assert_allclose(answer["gradient"], expected, rtol=1e-15)


def test_bad_input_is_explained_and_the_container_lives(hardened: Container) -> None:
    answer = hardened.client.post("/predict", json={"inputs": [[True]]})

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/invalid-type"
    assert hardened.client.get("/livez").status_code == 200


def test_the_api_reference_loads(hardened: Container) -> None:
    for path in ("/docs", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/openapi.json"):
        assert hardened.client.get(path).status_code == 200


def test_the_health_check_passes(hardened: Container) -> None:
    key = ".HealthCheck" if ENGINE == "podman" else ".Config.Healthcheck"
    health = json.loads(engine("image", "inspect", "--format", f"{{{{json {key}}}}}", IMAGE))

    assert health["Test"][0] == "CMD"
    engine("exec", hardened.name, *health["Test"][1:])


def test_nobody_is_root_and_nothing_can_be_written(hardened: Container) -> None:
    program = (
        "import os\n"
        "print(os.getuid(), os.getgid())\n"
        "for path in ('/opt/softlens/x', '/etc/x', '/x'):\n"
        "    try:\n        open(path, 'w')\n"
        "    except OSError:\n        print('refused')\n"
    )

    seen = engine("exec", hardened.name, "/usr/local/bin/python", "-c", program).split("\n")

    assert seen == ["65532 65532", "refused", "refused", "refused"]


@pytest.mark.parametrize(
    "absent", ["typer", "rich", "pip", "pytest", "threadpoolctl", "hypothesis"]
)
def test_what_serving_does_not_need_is_not_there(absent: str, hardened: Container) -> None:
    program = f"import importlib.util as u; print(u.find_spec({absent!r}))"

    assert engine("exec", hardened.name, "/usr/local/bin/python", "-c", program) == "None"


def test_there_is_no_shell(hardened: Container) -> None:
    done = subprocess.run(
        [ENGINE, "exec", hardened.name, "/bin/sh", "-c", "true"],
        capture_output=True, timeout=DEADLINE, check=False,
    )  # fmt: skip

    assert done.returncode != 0


@pytest.mark.parametrize("folder", [True, False], ids=["folder", "file"])
def test_a_mounted_model_replaces_the_shipped_one(
    folder: bool, model_file: Path, tmp_path: Path
) -> None:
    mounted = tmp_path / "mine.npz"
    mounted.write_bytes(model_file.read_bytes())
    mounted.chmod(0o644)
    tmp_path.chmod(0o755)
    source = tmp_path if folder else mounted

    with running(*HARDENED, "--volume", f"{source}:/models:ro") as container:
        models = container.client.get("/models").json()["models"]

    assert [model["name"] for model in models] == ["mine" if folder else "fixture"]


def test_sigterm_finishes_what_is_in_flight_and_exits_0() -> None:
    body = b'{"logits": [[2, 1]]}'
    head = b"POST /gradient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with running(*HARDENED) as container:
        url = container.client.base_url
        with socket.create_connection((url.host, url.port or 80), timeout=DEADLINE) as connection:
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body[:5])
            container.client.get("/livez")
            stopping = subprocess.Popen(
                [ENGINE, "stop", "--time", "20", container.name], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            time.sleep(1.0)
            connection.sendall(body[5:])
            answer = connection.makefile("rb").read()
        stopping.wait(timeout=DEADLINE)
        code = int(engine("inspect", "--format", "{{.State.ExitCode}}", container.name))

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert code == 0


def test_a_stop_right_after_the_start_is_quick_and_exits_0() -> None:
    name = f"softlens-test-{uuid.uuid4().hex[:12]}"
    engine("run", "--detach", "--name", name, *HARDENED, IMAGE)
    try:
        time.sleep(0.15)  # the interpreter is up, the libraries are still being imported
        engine("stop", "--time", "20", name)
        assert int(engine("inspect", "--format", "{{.State.ExitCode}}", name)) == 0
    finally:
        subprocess.run(
            [ENGINE, "rm", "--force", name], capture_output=True, check=False, timeout=60
        )


def test_the_image_is_small() -> None:
    size = int(engine("image", "inspect", "--format", "{{.Size}}", IMAGE))

    assert size < 140e6
