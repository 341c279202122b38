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
from model.passes import Alone, Pass, is_tame, passed, passed_alone
from model.single import SelfTestError, Single, single_of

_SMALL = 2**14  # products in a forward pass; up to so many, float64 costs no more than float32
_FEW = 32  # classes, for whose exponentials Python is quicker than NumPy
_LARGEST_ROW, _LARGEST_WEIGHT = 1e20, 1e8  # squared length; magnitude: of what cannot overflow
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
    small: Parameters | None  # `centred`, where it is so small that it is always kept
    tame: bool  # whether it has few classes and no large weight

    @property
    def products(self) -> int:
        """Of one row, in a forward pass."""
        return self.hidden * (self.features + len(self.saved.b2))

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
        self._check_width(inputs)
        if self._is_simple(inputs):
            return np.array([self._answer_alone(inputs).probabilities], np.float32)
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
        if self._is_simple(inputs):
            alone = self._answer_alone(inputs)
            return Answer(
                np.array([alone.logits], np.float32), np.array([alone.probabilities], np.float32)
            )
        with np.errstate(over="ignore", invalid="ignore"):
            if self.small is not None and len(inputs) * self.products <= _SMALL:
                exact = self._exactly(self.small, inputs)
                return Answer(
                    exact.logits.astype(np.float32), exact.probabilities.astype(np.float32)
                )
            # An overflow makes rows doubtful, which are then answered in float64.
            x = self.single.prepared(inputs)
            found = passed(self.single.weights, x, self.activation)
            doubtful = self.single.doubtful(x, found.largest)
            if len(doubtful):
                self._mend(found, inputs, doubtful)
        return Answer(found.logits, found.probabilities)

    def _is_simple(self, inputs: Floats) -> bool:
        """Whether this is one row of which nothing can overflow."""
        if len(inputs) != 1 or not self.tame:
            return False
        row = inputs[0]
        return bool(np.vdot(row, row) < _LARGEST_ROW)

    def _answer_alone(self, inputs: Floats) -> Alone:
        """The answer to one simple row, (1, D)."""
        if self.small is not None:
            return passed_alone(self.small, inputs[0] - self.centre, self.activation)
        x = self.single.prepared(inputs)[0]
        found = passed_alone(self.single.weights, x, self.activation)
        if self.single.trusts(x, found.largest):
            return found
        return passed_alone(self.centred, inputs[0] - self.centre, self.activation)

    def _mend(self, found: Pass, inputs: Floats, doubtful: Labels) -> None:
        """Answer some rows anew, in float64."""
        try:
            exact = self._exactly(self.centred, inputs[doubtful])
        except InvalidInputError as error:
            row = None if error.row is None else int(doubtful[error.row])
            raise InvalidInputError(error.reason, error.detail, row) from None
        found.logits[doubtful] = exact.logits
        found.probabilities[doubtful] = exact.probabilities

    def _exactly(self, centred: Parameters, inputs: Floats) -> Pass:
        """The forward pass in float64, with the weights for it."""
        exact = passed(centred, inputs - self.centre, self.activation)
        # An infinite z1 may end as a plausible 0 or 1 behind the activation.
        if not math.isfinite(exact.hidden + _norm_squared(exact.logits)):
            self._trace(inputs)  # a square may overflow where its root does not
        return exact

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
        finite = np.isfinite(trace.z1).all(axis=1) & np.isfinite(trace.z2).all(axis=1)
        if not finite.all():
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
    centred = folded(saved, scale, temperature)
    if not np.isfinite(centred.W1).all():
        raise SelfTestError("fails its self-test: W1 overflows when divided by input_scale")

    single = single_of(artifact, folded(saved, np.ones_like(scale), temperature), activation)
    is_small = saved.W1.size + saved.W2.size <= _SMALL
    centres = Parameters(artifact.input_mean, *single.weights[1:])
    tame = all(is_tame(each, _LARGEST_WEIGHT) for each in (centred, single.weights, centres))
    return Classifier(
        artifact.metadata, activation, saved, temperature, artifact.input_mean, scale, single,
        centred if is_small else None, tame and len(saved.b2) <= _FEW,
    )  # fmt: skip


def _norm_squared(array: Floats) -> float:
    """Sum of the squares, the quickest way to see whether all of an array is finite."""
    flat = array.reshape(-1)
    return float(np.dot(flat, flat))
