"""A model whose features and classes have names of 500 characters: its problems stay small."""

import json
from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from model import save_artifact
from tests.model.artifacts import make_artifact
from tests.serving import serving

FEATURES = [f"{i} " + "\N{MATHEMATICAL BOLD SMALL X}" * 500 for i in range(12)]
CLASSES = [f"{i} " + "\N{SNOWMAN}" * 500 for i in range(12)]
ROW = dict.fromkeys(FEATURES, 1.0)


@pytest.fixture(scope="module")
def long_names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    path = tmp_path_factory.mktemp("long") / "long.npz"
    artifact = make_artifact(
        np.random.default_rng(1), shape=(12, 7, 12), features=FEATURES, classes=CLASSES
    )
    save_artifact(path, artifact)
    with serving(path) as server, server.client() as client:
        yield client


@pytest.mark.parametrize(
    ("path", "body", "slug"),
    [
        ("/predict", {"records": [{FEATURES[0]: 1}]}, "missing-field"),
        ("/predict", {"records": [ROW | {"q": 1}]}, "unknown-field"),
        ("/predict", {"records": [ROW | {FEATURES[0] + "x": 1}]}, "unknown-field"),
        ("/predict", {"records": [ROW | {FEATURES[0]: True}]}, "invalid-type"),
        ("/predict", {"records": [ROW | {FEATURES[0]: 1e39}]}, "non-finite-input"),
        (
            "/gradient",
            {"inputs": [[1] * 12], "of": "loss", "labels": [CLASSES[0] + "x"]},
            "unknown-label",
        ),
    ],
)
def test_a_problem_is_small_however_long_the_names_are(
    path: str, body: dict[str, object], slug: str, long_names: httpx.Client
) -> None:
    headers = {"content-type": "application/json"}

    answer = long_names.post(path, content=json.dumps(body), headers=headers)

    assert answer.json()["type"] == f"/problems/{slug}"
    assert len(answer.content) <= 4096
