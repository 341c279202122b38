"""What the servers are asked, and by which network.

The rows are the digits that softlens ships. As images of 28 x 28 pixels they are drawn twice as
large in the middle of an empty one, so that, as in MNIST, a sixth of the pixels are not 0 and those
are 255ths with all their digits. The networks are trained on them: rows of which a network is not
sure cost softlens more, and of random rows it would never be sure.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model import ACTIVATIONS, Artifact, Parameters, forward, save_artifact
from model.data import Dataset, load_digits
from model.training import Plan, fit

MARGIN = 6  # pixels
EPOCHS = 10
BATCH = 128  # rows of a large request

Rows = NDArray[np.float64]  # (N, D)


class Net(NamedTuple):
    """A trained network, on disk as softlens serves it and as plain weights."""

    name: str  # its sizes
    artifact: Path
    weights: Path  # W1 b1 W2 b2, float32, acting on raw features
    rows: Rows  # (1797, D)
    expected: Rows  # (1797, C): probabilities, computed in float64

    @property
    def features(self) -> int:
        return self.rows.shape[1]


class Workload(NamedTuple):
    """One kind of request."""

    name: str
    title: str
    net: Net
    rows: int

    @property
    def inputs(self) -> Rows:
        return self.net.rows[: self.rows]

    @property
    def expected(self) -> Rows:
        return self.net.expected[: self.rows]


def small(folder: Path) -> Net:
    """64-32-10, of the digits as they are, between 0 and 1."""
    digits = load_digits()
    return _trained(digits._replace(inputs=digits.inputs / 16), 32, folder)


def large(folder: Path) -> Net:
    """784-128-10, of the digits as images."""
    return _trained(_images(load_digits()), 128, folder)


def _images(digits: Dataset) -> Dataset:
    drawn = digits.inputs.reshape(-1, 8, 8).repeat(2, axis=1).repeat(2, axis=2)
    images = np.pad(np.round(drawn * 255 / 16) / 255, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)))
    rows = images.reshape(len(images), -1)
    return digits._replace(
        inputs=rows, features=None, kinds=np.zeros(rows.shape[1], digits.kinds.dtype)
    )


def _trained(data: Dataset, hidden: int, folder: Path) -> Net:
    artifact = fit(data, Plan(hidden=hidden, epochs=EPOCHS), "digits").artifact
    name = f"{data.inputs.shape[1]}-{hidden}-{len(artifact.parameters.b2)}"
    saved, weights = folder / f"{name}.npz", folder / f"weights-{name}.npz"
    save_artifact(saved, artifact)

    plain = _folded(artifact)
    float32s = {key: array.astype(np.float32) for key, array in plain._asdict().items()}
    np.savez(weights, **float32s)
    rows = data.inputs.astype(np.float64)
    expected = forward(plain, rows, ACTIVATIONS["relu"]).a2.astype(np.float64)
    return Net(name, saved, weights, rows, expected)


def _folded(artifact: Artifact) -> Parameters:
    """The weights in float64 that act on raw features, by the textbook."""
    W1, b1, W2, b2 = (array.astype(np.float64) for array in artifact.parameters)
    W1 /= artifact.input_scale[:, None]
    T = artifact.temperature
    return Parameters(W1, b1 - artifact.input_mean @ W1, W2 / T, b2 / T)
