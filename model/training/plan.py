"""What one training run is asked to do."""

import math
import sys
from dataclasses import dataclass
from typing import Literal

_RANGES = {  # each bound included
    "hidden": (1, sys.maxsize),
    "epochs": (1, sys.maxsize),
    "batch_size": (1, sys.maxsize),
    "learning_rate": (0, math.inf),
    "momentum": (0, 0.999),
    "warmup": (0, sys.maxsize),
    "weight_decay": (0, math.inf),
    "label_smoothing": (0, 0.99),
    "validation": (0, 0.9),
    "patience": (1, sys.maxsize),
    "seed": (0, sys.maxsize),
    "threads": (1, sys.maxsize),
}
_CHOICES = {
    "activation": ("relu", "tanh"),
    "optimizer": ("adam", "sgd"),
    "schedule": ("constant", "cosine"),
}


@dataclass(frozen=True)
class Plan:
    """The choices of a run; the defaults are those docs/benchmarks.md measures.

    Raises:
        ValueError: one of them is out of its range.
    """

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

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high or value == math.inf:
                range_ = f"at least {low}" if math.isinf(high) else f"from {low} to {high}"
                raise ValueError(f"{name}: expected a finite number {range_}, got {value}")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                expected = " or ".join(choices)
                raise ValueError(f"{name}: expected {expected}, got {getattr(self, name)!r}")
