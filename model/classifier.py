"""A loaded network, folded so that it acts on raw features, that answers a batch.

The fold and its accuracy: docs/decisions/0002-folding.md. Equation numbers are those of
docs/mathematics.md.
"""

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

_PROMISE = 1.5e-6  # absolute error of a probability; 2e-6 is what is promised outside
_CAUTION = 4.0  # times the largest error seen on typical rows
_TYPICAL_ROWS = 64
_LARGEST_LOGIT_ERROR = 0.01
_folds = Folds(32 * 2**20)  # bytes of float64 weights, for all classifiers of a process together


class Answer(NamedTuple):
    """What one forward pass says of a batch."""

    logits: Float32s  # (N, C)
    probabilities: Float32s  # (N, C), their softmax


@dataclass(frozen=True, eq=False)
class Classifier:
    """A network ready to answer; immutable, so threads may share it.

    It keeps the saved weights and the float32 ones, which share the large W1. Those in float64 are
    twice as large, so they are made when they are asked for, and kept for as long as there is room.
    """

    metadata: Metadata
    activation: Activation
    saved: Parameters  # float32, acting on (x - centre) / scale, before the temperature
    temperature: float
    centre: Float64s  # (D,)  where the features lie; subtracting it first keeps their digits
    scale: Float64s  # (D,)  their spread
    fast: Parameters  # float32, acting on (x - centre) / scale
    error_rate: float  # bound on float32's error of a logit, for an input of norm 0 in units of it

    @property
    def features(self) -> int:
        """D, the width of a row."""
        return len(self.centre)

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
        # An overflow makes the bound infinite or NaN, and is then answered in float64.
        with np.errstate(over="ignore", invalid="ignore"):
            exact = inputs - self.centre
            exact /= self.scale
            x = exact.astype(np.float32)
            _, _, z, p = forward(self.fast, x, self.activation)
            doubtful = ~(self._error_bound(x, p) <= _PROMISE)
            if doubtful.any():
                trace = self._exactly(inputs, np.flatnonzero(doubtful))
                z[doubtful], p[doubtful] = trace.z2, trace.a2
        return Answer(z, p)

    def _error_bound(self, x: Float32s, p: Float32s) -> Floats:
        """Bound on the error of each row's probabilities, (N,).

        Rounding of the logits grows with the norm of x. A probability moves by at most
        2 p (1 - p) times as much, for the largest p: docs/decisions/0002-folding.md.
        """
        error = self.error_rate * (1 + np.sqrt(np.einsum("ij,ij->i", x, x)))
        largest = p.max(axis=1)
        # To first order only; logits that may be far off say nothing of max p either.
        return np.where(error <= _LARGEST_LOGIT_ERROR, 2 * largest * (1 - largest) * error, np.inf)

    def _exactly(self, inputs: Floats, rows: Labels) -> Trace:
        """The forward pass of some rows of a batch, in float64."""
        try:
            return self.trace(inputs[rows])
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
    except _SelfTestError as error:
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
        raise _SelfTestError("fails its self-test: W1 overflows when divided by input_scale")

    exact = folded(saved, np.ones_like(scale), temperature)
    with np.errstate(over="ignore"):
        fast = saved._replace(W2=exact.W2.astype(np.float32), b2=exact.b2.astype(np.float32))
    typical = np.random.default_rng(0).normal(size=(_TYPICAL_ROWS, len(scale)))
    rate = _self_test(exact, fast, typical, activation)
    return Classifier(
        artifact.metadata, activation, saved, temperature, artifact.input_mean, scale, fast, rate
    )


class _SelfTestError(ArtifactError):
    """The network cannot answer typical inputs."""


def _self_test(
    exact: Parameters, fast: Parameters, typical: Float64s, activation: Activation
) -> float:
    """Answer typical rows in float32 and in float64, and so warm what answers requests.

    Returns:
        Bound on the error of a float32 logit, for each unit of 1 + the norm of its row.

    Raises:
        ArtifactError: float32, in which the network was trained, cannot answer them.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        x = typical.astype(np.float32)
        forward(fast, x[:1], activation)  # BLAS has another way for one row: both are warm now
        found = forward(fast, x, activation).z2
        error = np.abs(found - forward(exact, typical, activation).z2).max(axis=1)
    if not np.isfinite(found).all():
        raise _SelfTestError("fails its self-test: its logits overflow on typical inputs")
    seen = _CAUTION * (error / (1 + np.linalg.norm(typical, axis=1))).max()
    return float(max(seen, _least_error(exact)))


def _least_error(exact: Parameters) -> float:
    """A quarter of one rounding of each product: a floor for units that no typical row woke."""
    into = np.linalg.norm(exact.W1) + np.linalg.norm(exact.b1)
    out = np.linalg.norm(exact.W2, axis=0).max()  # each logit has a column of its own
    return float(2.0**-26 * (into * out + np.abs(exact.b2).max()))
