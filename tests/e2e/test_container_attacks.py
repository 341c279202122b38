"""The attacks of tests/attacks, on the image as docs/deploying.md says to run it, in 256 MiB."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.attack import perform
from tests.attacks.test_attacks import TABLES
from tests.attacks.test_http import ROWS, exchange
from tests.e2e.test_container import HARDENED, Container, engine, pytestmark, running
from tests.serving import DEADLINE

__all__ = ["pytestmark"]  # skipped where there is no image

_MIB = json.dumps({"inputs": [[0.125] * 4] * 4096}).encode()


@pytest.fixture(scope="module")
def container(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    folder = tmp_path_factory.mktemp("mounted")
    mounted = folder / "fixture.npz"
    mounted.write_bytes(model_file.read_bytes())
    mounted.chmod(0o644)
    settings = ("--env", "SOFTLENS_ALLOWED_HOSTS=localhost,127.0.0.1")  # as on loopback
    with running(*HARDENED, *settings, "--volume", f"{mounted}:/models:ro") as container:
        yield container


@pytest.fixture(autouse=True)
def _well(container: Container) -> Iterator[None]:
    """The same process answers, and met no bug of ours."""
    before = engine("inspect", "--format", "{{.State.Pid}}", container.name)

    yield

    assert container.client.get("/livez").status_code == 200
    assert engine("inspect", "--format", "{{.State.Pid}}", container.name) == before
    assert "Traceback" not in engine("logs", container.name)


@pytest.mark.parametrize("table", TABLES)
def test_attacks_get_their_promised_answers(table: str, container: Container) -> None:
    for name, attack in TABLES[table].items():
        try:
            perform(container.client, attack)
        except AssertionError as error:
            raise AssertionError(f"{table}: {name}") from error


def test_hostile_http_gets_its_promised_answers(container: Container) -> None:
    url = container.client.base_url
    for name, row in ROWS.items():
        with socket.create_connection((url.host, url.port or 80), DEADLINE) as connection:
            try:
                exchange(connection, row)
            except AssertionError as error:
                raise AssertionError(name) from error


def test_the_largest_bodies_fit_into_its_memory(container: Container) -> None:
    body = b'{"inputs": [%s]}' % b",".join([b"[1,2,3,4]"] * 4096)
    flat = b'{"logits": [%s]}' % b",".join([b"1"] * 3_900_000)
    for content in (body, flat, flat, _MIB):
        for path in ("/predict", "/gradient"):
            answer = container.client.post(
                path, content=content, headers={"content-type": "application/json"}
            )
            assert answer.status_code < 500
