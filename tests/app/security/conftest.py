"""A server that wants keys and lets models be loaded and unloaded."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.app.security.keyed import keyed
from tests.serving import Server


@pytest.fixture(scope="session")
def guarded(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with keyed(model_file, tmp_path_factory.mktemp("keys"), model_control="on") as server:
        yield server


@pytest.fixture
def asked(guarded: Server) -> Iterator[httpx.Client]:
    with guarded.client() as client:
        yield client
