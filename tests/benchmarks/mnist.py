"""The real MNIST, where it lies beside the repository. We do not ship it."""

from tests.serving import ROOT

_FOLDER = ROOT.parent / "shared" / "data" / "mnist"

TRAINING = ",".join(
    str(_FOLDER / name) for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")
)
TEST = ",".join(
    str(_FOLDER / name) for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
)
ABSENT = "MNIST was not found in `../shared/data/mnist`, so this was skipped."


def is_here() -> bool:
    return all(_path.exists() for _path in _FOLDER.parent.glob("mnist")) and _FOLDER.is_dir()
