"""Small real things that every layer shares."""

import os
from collections.abc import Iterator
from pathlib import Path

# Before NumPy is imported anywhere: many threads on few cores make every test slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import httpx
import numpy as np
import pytest

from model import Parameters, save_artifact
from tests.model.artifacts import make_artifact
from tests.serving import Server, serving


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260)


@pytest.fixture
def parameters(rng: np.random.Generator) -> Parameters:
    """The fixture network: 4 features, 7 hidden units, 5 classes, 75 numbers, float64."""
    return Parameters(
        W1=rng.normal(size=(4, 7)),
        b1=rng.normal(size=7),
        W2=rng.normal(size=(7, 5)),
        b2=rng.normal(size=5),
    )


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved network of 4 named features and the classes 0 to 4."""
    path = tmp_path_factory.mktemp("models") / "fixture.npz"
    save_artifact(path, make_artifact(np.random.default_rng(7), mean=0.5, temperature=1.3))
    return path


@pytest.fixture(scope="session")
def server(model_file: Path) -> Iterator[Server]:
    with serving(model_file) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client
