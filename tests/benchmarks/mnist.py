"""The real MNIST, where it lies beside the repository. It is not shipped."""

from pathlib import Path

from tests.serving import ROOT

_FOLDER = ROOT.parent / "shared" / "data" / "mnist"


def _pair(part: str) -> str:
    return f"{_FOLDER / part}-images-idx3-ubyte.gz,{_FOLDER / part}-labels-idx1-ubyte.gz"


TRAINING = _pair("train")
TEST = _pair("t10k")
ABSENT = "Skipped: MNIST was not found in `../shared/data/mnist`."


def is_here() -> bool:
    return all(Path(path).exists() for pair in (TRAINING, TEST) for path in pair.split(","))
