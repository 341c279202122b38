import json

import httpx
import numpy as np
import pytest

from app.openapi import predict_examples
from model import fold
from tests.model.artifacts import make_artifact


@pytest.mark.parametrize("mean", [1.797e308, 1e39, -1e39, 12345.678, 1e-320])
def test_an_example_can_be_posted_wherever_the_features_lie(
    mean: float, rng: np.random.Generator
) -> None:
    artifact = make_artifact(rng)._replace(input_mean=np.full(4, mean))

    examples = predict_examples(fold(artifact))

    (row,) = examples["a batch of one"]["value"]["inputs"]
    assert np.isfinite(np.array(row, np.float32)).all()
    json.dumps(examples, allow_nan=False)


def test_examples_are_short_enough_to_read(rng: np.random.Generator) -> None:
    artifact = make_artifact(rng)._replace(input_mean=np.full(4, 1234.5678))

    assert predict_examples(fold(artifact))["a row"]["value"]["inputs"] == [1235.0] * 4


def test_every_heading_of_the_reference_has_its_place(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()

    used = {
        tag
        for path in document["paths"].values()
        for operation in path.values()
        for tag in operation["tags"]
    }
    assert {heading["name"] for heading in document["tags"]} == used
    assert [heading["name"] for heading in document["tags"]][:2] == ["predict", "gradient"]
