"""A server with two models, one of them in two versions, that may be told to load and unload."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from model import save_artifact
from tests.model.artifacts import make_artifact
from tests.serving import Server, serving

CLASSES = ["a", "b:c", "\N{SNOWMAN}"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several")
    for version in ("1", "2"):
        (folder / "fixture" / version).mkdir(parents=True)
        rng = np.random.default_rng(int(version))
        save_artifact(folder / "fixture" / version / "model.npz", make_artifact(rng))
    named = make_artifact(np.random.default_rng(3), shape=(6, 5, 3), classes=CLASSES)
    save_artifact(folder / "named.npz", named)
    return folder


@pytest.fixture(scope="module")
def several(folder: Path) -> Iterator[Server]:
    with serving(folder, model_control="on") as server:
        yield server


@pytest.fixture
def asked(several: Server) -> Iterator[httpx.Client]:
    with several.client() as client:
        yield client
