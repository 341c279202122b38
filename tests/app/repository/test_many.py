import shutil
from pathlib import Path

import numpy as np

from model import save_artifact
from tests.model.artifacts import make_artifact
from tests.serving import serving


def test_a_hundred_models_take_less_than_200_mib(tmp_path: Path) -> None:
    """Also when each of them has been asked for what takes float64 weights."""
    first = tmp_path / "m0.npz"
    save_artifact(first, make_artifact(np.random.default_rng(0), shape=(784, 128, 10)))
    for number in range(1, 100):
        shutil.copy(first, tmp_path / f"m{number}.npz")

    with serving(tmp_path) as server, server.client() as client:
        for model in client.get("/models").json()["models"]:
            body = {"inputs": [0.5] * 784}
            assert client.post(f"/models/{model['name']}/gradient", json=body).status_code == 200
        taken = server.resident()

    assert taken < 200 * 2**20
