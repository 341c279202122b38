"""The network: three layers, softmax, explicit gradients. NumPy and the standard library alone.

This is the public face of the core; `model.training`, `model.gradients` and `model.data` have
their own and are not imported here, so that serving stays small.
"""

from model.arrays import Float32s, Float64s, Floats, Labels
from model.artifact import Artifact, Metadata, load_artifact, save_artifact
from model.classifier import Answer, Classifier, fold, load_classifier
from model.errors import (
    ArtifactError,
    DatasetError,
    DivergedError,
    InvalidInputError,
    ModelError,
    PreflightError,
    TooLargeError,
    TrainingError,
)
from model.files import open_regular, write_atomically
from model.functions import (
    ACTIVATIONS,
    Activation,
    cross_entropy,
    log_softmax,
    one_hot,
    softmax,
    softmax_jacobian,
    softmax_jvp,
    softmax_vjp,
)
from model.network import Parameters, Trace, backward, forward, initial_parameters

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Answer",
    "Artifact",
    "ArtifactError",
    "Classifier",
    "DatasetError",
    "DivergedError",
    "Float32s",
    "Float64s",
    "Floats",
    "InvalidInputError",
    "Labels",
    "Metadata",
    "ModelError",
    "Parameters",
    "PreflightError",
    "TooLargeError",
    "Trace",
    "TrainingError",
    "backward",
    "cross_entropy",
    "fold",
    "forward",
    "initial_parameters",
    "load_artifact",
    "load_classifier",
    "log_softmax",
    "one_hot",
    "open_regular",
    "save_artifact",
    "softmax",
    "softmax_jacobian",
    "softmax_jvp",
    "softmax_vjp",
    "write_atomically",
]

__version__ = "0.1.0"
