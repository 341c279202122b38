"""Small artifacts to save, damage and serve."""

from typing import Any

import numpy as np

from model import Artifact, Parameters


def make_artifact(
    rng: np.random.Generator,
    *,
    shape: tuple[int, int, int] = (4, 7, 5),
    activation: str = "relu",
    mean: float = 0.0,
    scale: float = 1.0,
    temperature: float = 1.0,
    **metadata: Any,  # any JSON
) -> Artifact:
    """A random network of (features, hidden, classes) with everything the format asks for."""
    features, hidden, classes = shape
    return Artifact(
        Parameters(
            W1=rng.normal(size=(features, hidden), scale=features**-0.5).astype(np.float32),
            b1=rng.normal(size=hidden).astype(np.float32),
            W2=rng.normal(size=(hidden, classes), scale=hidden**-0.5).astype(np.float32),
            b2=rng.normal(size=classes).astype(np.float32),
        ),
        input_mean=mean * (1 + rng.random(features)),
        input_scale=scale * (1 + rng.random(features)),
        temperature=temperature,
        metadata={
            "name": "fixture",
            "classes": list(range(classes)),
            "features": [f"feature_{i}" for i in range(features)],
            "activation": activation,
            "seed": 0,
            "training": {},
            "history": [],
            "metrics": {},
            "data": {},
            "versions": {},
            **metadata,
        },
    )
