"""A loaded network, folded so that it acts on raw features, that answers a batch.

The fold and its accuracy: docs/decisions/0002-folding.md. Equation numbers are those of
docs/mathematics.md.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from model.arrays import Float32s, Float64s, Floats, Labels
from model.artifact import Artifact, Metadata, load_artifact
from model.errors import ArtifactError, InvalidInputError
from model.folds import Folds, folded
from model.functions import ACTIVATIONS, Activation
from model.network import Parameters, Trace, forward
from model.single import SelfTestError, Single, single_of

_SMALL = 2**14  # products in a forward pass; up to so many, float64 costs no more than float32
_folds = Folds(32 * 2**20)  # bytes of float64 weights, for all classifiers of a process together


class Answer(NamedTuple):
    """What one forward pass says of a batch."""

    logits: Float32s  # (N, C)
    probabilities: Float32s  # (N, C), their softmax


@dataclass(frozen=True, eq=False)
class Classifier:
    """A network ready to answer; immutable, so threads may share it.

    It keeps the saved weights and float32 ones that answer. Those in float64 are twice as large,
    so they are made when they are asked for, and kept for as long as there is room.
    """

    metadata: Metadata
    activation: Activation
    saved: Parameters  # float32, acting on (x - centre) / scale, before the temperature
    temperature: float
    centre: Float64s  # (D,)  where the features lie; subtracting it first keeps their digits
    scale: Float64s  # (D,)  their spread
    single: Single  # float32

    @property
    def features(self) -> int:
        """D, the width of a row."""
        return len(self.centre)

    @property
    def hidden(self) -> int:
        """H, the width of the hidden layer."""
        return len(self.saved.b1)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the four arrays by name, without making any of them."""
        return {name: array.shape for name, array in self.saved._asdict().items()}

    @property
    def centred(self) -> Parameters:
        """The weights in float64, acting on x - centre."""
        return _folds.of(self, lambda: folded(self.saved, self.scale, self.temperature))

    @property
    def parameters(self) -> Parameters:
        """The four arrays of docs/mathematics.md, float64, acting on raw features."""
        return self.centred._replace(b1=self.centred.b1 - self.centre @ self.centred.W1)

    def predict(self, inputs: Floats) -> Float32s:
        """Class probabilities of a batch.

        Args:
            inputs: (N, D) raw features, finite.

        Returns:
            (N, C), within 2e-6 of a float64 evaluation.

        Raises:
            InvalidInputError: `wrong-width`; or `non-finite-result` when the logits overflow.
        """
        return self.answer(inputs).probabilities

    def answer(self, inputs: Floats) -> Answer:
        """Logits and class probabilities of a batch, from one forward pass.

        Args:
            inputs: (N, D) raw features, finite.

        Returns:
            Probabilities as `predict` gives them. A logit that only float64 can hold is infinite.

        Raises:
            InvalidInputError: as for `predict`.
        """
        self._check_width(inputs)
        features, hidden = self.saved.W1.shape
        products = len(inputs) * hidden * (features + len(self.saved.b2))
        with np.errstate(over="ignore", invalid="ignore"):
            if products <= _SMALL:
                trace = self._trace(inputs)
                return Answer(trace.z2.astype(np.float32), trace.a2.astype(np.float32))

            # An overflow makes rows doubtful, which are then answered in float64.
            x = self.single.prepared(inputs)
            _, _, z, p = forward(self.single.weights, x, self.activation)
            doubtful = self.single.doubtful(x, p)
            if len(doubtful):
                trace = self._exactly(inputs, doubtful)
                z[doubtful], p[doubtful] = trace.z2, trace.a2
        return Answer(z, p)

    def _exactly(self, inputs: Floats, rows: Labels) -> Trace:
        """The forward pass of some rows of a batch, in float64."""
        try:
            return self._trace(inputs[rows])
        except InvalidInputError as error:
            row = None if error.row is None else int(rows[error.row])
            raise InvalidInputError(error.reason, error.detail, row) from None

    def trace(self, inputs: Floats) -> Trace:
        """Every intermediate of the forward pass, in float64.

        Args:
            inputs: (N, D) raw features, finite.

        Raises:
            InvalidInputError: as for `predict`.
        """
        self._check_width(inputs)
        with np.errstate(over="ignore", invalid="ignore"):
            return self._trace(inputs)

    def _trace(self, inputs: Floats) -> Trace:
        trace = forward(self.centred, inputs - self.centre, self.activation)
        # An infinite z1 may end as a plausible 0 or 1 behind the activation.
        if not math.isfinite(_norm_squared(trace.z1) + _norm_squared(trace.z2)):
            finite = np.isfinite(trace.z1).all(axis=1) & np.isfinite(trace.z2).all(axis=1)
            if not finite.all():  # a square may overflow where its root does not
                raise InvalidInputError(
                    "non-finite-result", "the logits overflow", int(finite.argmin())
                )
        return trace

    def _check_width(self, inputs: Floats) -> None:
        if inputs.shape[1] != self.features:
            raise InvalidInputError(
                "wrong-width",
                f"expected rows of {self.features} features, got {inputs.shape[1]}",
            )


def load_classifier(path: Path) -> Classifier:
    """Read, verify, fold and self-test a saved network.

    Raises:
        ArtifactError: the file is not a sound network; one line with its name and the reason.
        OSError: the file is missing or cannot be read.
    """
    try:
        return fold(load_artifact(path))
    except SelfTestError as error:
        raise ArtifactError(f"{path}: {error}") from None
    except MemoryError:
        raise ArtifactError(f"{path}: needs more memory than there is") from None


def fold(artifact: Artifact) -> Classifier:
    """Take standardisation and temperature into the weights, in float64.

    Source: docs/mathematics.md, equation 28.

    Raises:
        ArtifactError: the network fails its self-test.
    """
    activation = ACTIVATIONS[artifact.metadata["activation"]]
    saved, scale, temperature = artifact.parameters, artifact.input_scale, artifact.temperature
    # The self-test looks for the infinities that folding may make.
    if not np.isfinite(folded(saved, scale, temperature).W1).all():
        raise SelfTestError("fails its self-test: W1 overflows when divided by input_scale")

    single = single_of(artifact, folded(saved, np.ones_like(scale), temperature), activation)
    return Classifier(
        artifact.metadata, activation, saved, temperature, artifact.input_mean, scale, single
    )


def _norm_squared(array: Floats) -> float:
    """Sum of the squares, the quickest way to see whether all of an array is finite."""
    flat = array.reshape(-1)
    return float(np.dot(flat, flat))
