"""Everything this package raises on purpose, split by who must act.

ModelError
├── InvalidInputError   the caller's array has the wrong shape or values
├── DatasetError        training data is missing, malformed or unfit to train on
├── ArtifactError       a saved network is missing, damaged or incompatible
└── TrainingError       training cannot start or cannot go on
    ├── TooLargeError       the network is larger than a file may be, or than the memory
    ├── PreflightError      the network and its backprop failed their check before the first epoch
    └── DivergedError       a loss or weight stopped being a number
"""


class ModelError(Exception):
    """Base of all of them; its text is one line that can be shown to the person who must act."""


class InvalidInputError(ModelError):
    """The caller's array has the wrong shape or values.

    Attributes:
        reason: a stable slug, such as `wrong-width`, for programs.
        detail: what was expected and what was found.
        row: which row of the batch, from 0; None for the whole.
        name: which of several arrays, such as `given/W1`; None where there is only one.
    """

    def __init__(
        self, reason: str, detail: str, row: int | None = None, name: str | None = None
    ) -> None:
        place = [] if name is None else [name]
        place += [] if row is None else [f"row {row}"]
        super().__init__(": ".join([*place, detail]))
        self.reason = reason
        self.detail = detail
        self.row = row
        self.name = name


class DatasetError(ModelError):
    """Training data is missing, malformed or unfit to train on; says file, row and column."""


class ArtifactError(ModelError):
    """A saved network is missing, damaged or incompatible; names the file and the reason."""


class TrainingError(ModelError):
    """Training cannot start or cannot go on."""


class TooLargeError(TrainingError):
    """The network is larger than a model file may be, or needs more memory than there is."""


class PreflightError(TrainingError):
    """The network and its backprop failed their check before the first epoch."""


class DivergedError(TrainingError):
    """A loss or weight stopped being a number; names the tensor."""
