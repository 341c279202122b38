"""What one training run is asked to do."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Plan:
    """The choices of a run; the defaults are those docs/benchmarks.md measures."""

    hidden: int = 128
    activation: Literal["relu", "tanh"] = "relu"
    epochs: int = 40
    batch_size: int = 64
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: float = 2e-3
    momentum: float = 0.9  # for sgd
    schedule: Literal["constant", "cosine"] = "cosine"
    warmup: int = 1  # epochs of linear rise to the learning rate
    weight_decay: float = 0.2  # decoupled, on W1 and W2
    label_smoothing: float = 0.1  # share of each target spread over all classes
    validation: float = 0.1  # share of the rows held out; 0 trains on all of them
    patience: int = 10  # epochs without a better validation loss before stopping
    seed: int = 0
    threads: int = 1  # of the matrix products; for small networks a second one rarely pays
