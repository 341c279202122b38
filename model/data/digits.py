"""The dataset we ship; LICENSE-digits.md says whose it is."""

from importlib import resources

from model.data.dataset import Dataset
from model.data.npz import read_npz


def load_digits() -> Dataset:
    """1,797 handwritten digits, 8 x 8 pixels of intensity 0..16: enough for a first model.

    Returns:
        inputs (1797, 64) uint8, the classes 0 to 9, and features `pixel_<row>_<column>`, all of
        one kind.
    """
    with resources.as_file(resources.files("model.data") / "digits.npz") as path:
        digits = read_npz(path)

    names = tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8))
    return digits._replace(features=names, source="digits")
