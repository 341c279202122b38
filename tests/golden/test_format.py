"""Files of format version 1, frozen: whatever is changed later must still read them alike."""

import io
import json
from pathlib import Path

import numpy as np
import pytest

from model import load_artifact, load_classifier, save_artifact

FOLDER = Path(__file__).parent
ROWS = np.array([[2.5, 3.0, 2.0], [3.5, 1.5, 4.0]])
PROBABILITIES = {
    "relu": [
        [0.24969720968999523, 0.2212935321455647, 0.5290092581644401],
        [0.3331665502386449, 0.05447586777910671, 0.6123575819822484],
    ],
    "tanh": [
        [0.17079675962799384, 0.2593352320245867, 0.5698680083474195],
        [0.270055225523544, 0.10431512927010592, 0.62562964520635],
    ],
}
CLASSES = {"relu": [0, 1, 2], "tanh": ["ä", "b", 3]}


@pytest.mark.parametrize("activation", PROBABILITIES)
def test_a_file_of_format_1_still_gives_the_same_answers(activation: str) -> None:
    classifier = load_classifier(FOLDER / f"format-1-{activation}.npz")

    # The same operations; another BLAS may add in another order.
    np.testing.assert_allclose(
        classifier.trace(ROWS).a2, PROBABILITIES[activation], rtol=1e-14, atol=0
    )
    assert classifier.metadata["classes"] == CLASSES[activation]


@pytest.mark.parametrize("activation", PROBABILITIES)
def test_saving_it_again_gives_the_same_bytes(activation: str, tmp_path: Path) -> None:
    original = FOLDER / f"format-1-{activation}.npz"

    save_artifact(tmp_path / "again.npz", load_artifact(original))

    # The arrays and what is said of them; json.dumps may one day order its keys otherwise.
    with np.load(original) as old, np.load(tmp_path / "again.npz") as new:
        assert old.files == new.files
        for name in set(old.files) - {"metadata"}:
            assert old[name].tobytes() == new[name].tobytes()
        assert json.load(io.BytesIO(old["metadata"])) == json.load(io.BytesIO(new["metadata"]))
