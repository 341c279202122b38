"""Small real things that every layer shares."""

import os

# Before NumPy is imported anywhere: many threads on few cores make every test slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest

from model import Parameters


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
