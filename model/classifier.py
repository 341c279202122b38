"""A loaded network, folded so that it acts on raw features, that answers a batch.

The fold and its accuracy: docs/decisions/0002-folding.md. Equation numbers are those of
docs/mathematics.md.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.arrays import Float32s, Float64s, Floats
from model.artifact import Artifact, Metadata, load_artifact
from model.errors import ArtifactError, InvalidInputError
from model.functions import ACTIVATIONS, Activation
from model.network import Parameters, Trace, forward

# /predict promises 2e-6; float32 is used only where it was seen to keep half of that.
_ALLOWED_ERROR = 1e-6
_TYPICAL_ROWS = 64
_TYPICAL_SPREADS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # standard deviations


@dataclass(frozen=True)
class Classifier:
    """A network ready to answer; immutable, so threads may share it."""

    metadata: Metadata
    activation: Activation
    centre: Float64s  # (D,)  where the features lie; subtracting it first keeps their digits
    centred: Parameters  # float64, acting on x - centre
    fast: Parameters  # the same in float32
    fast_reach: float  # the largest |logit| up to which float32 was seen to be accurate

    @property
    def features(self) -> int:
        """D, the width of a row."""
        return len(self.centre)

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
        # An overflow shows in the peak and is then answered in float64.
        with np.errstate(over="ignore", invalid="ignore"):
            x = np.subtract(inputs, self.centre, dtype=np.float64).astype(np.float32)
            trace = forward(self.fast, x, self.activation)
            if np.abs(trace.z2).max() <= self.fast_reach:
                return trace.a2
        return self.trace(inputs).a2.astype(np.float32)

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

        finite = np.isfinite(trace.z2).all(axis=1)
        if not finite.all():
            row = int(finite.argmin())
            raise InvalidInputError(
                "non-finite-result", "the logits of this row overflow", pointer=f"/{row}"
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


def fold(artifact: Artifact) -> Classifier:
    """Take standardisation and temperature into the weights, in float64.

    Source: docs/mathematics.md, equation 28.

    Raises:
        ArtifactError: the network fails its self-test.
    """
    activation = ACTIVATIONS[artifact.metadata["activation"]]
    W1, b1, W2, b2 = (array.astype(np.float64) for array in artifact.parameters)
    with np.errstate(over="ignore"):  # the self-test looks for infinity
        centred = Parameters(
            W1=W1 / artifact.input_scale[:, None],
            b1=b1,
            W2=W2 / artifact.temperature,
            b2=b2 / artifact.temperature,
        )
        fast = Parameters(*(array.astype(np.float32) for array in centred))

    typical = np.random.default_rng(0).normal(size=(_TYPICAL_ROWS, len(W1)))
    _self_test(artifact.parameters, centred, typical, activation)
    reach = _reach_of_float32(centred, fast, activation, typical * artifact.input_scale)
    return Classifier(artifact.metadata, activation, artifact.input_mean, centred, fast, reach)


class _SelfTestError(ArtifactError):
    """The network cannot answer typical inputs."""


def _self_test(
    trained: Parameters, folded: Parameters, typical: Float64s, activation: Activation
) -> None:
    """A network that was trained in float32 must be able to answer in float32."""
    with np.errstate(over="ignore", invalid="ignore"):
        logits = forward(trained, typical.astype(np.float32), activation).z2
    if not np.isfinite(logits).all():
        raise _SelfTestError("fails its self-test: its logits overflow on typical inputs")
    if not all(np.isfinite(array).all() for array in folded):
        raise _SelfTestError("fails its self-test: its weights overflow on raw features")


def _reach_of_float32(
    centred: Parameters, fast: Parameters, activation: Activation, typical: Float64s
) -> float:
    """Widen typical inputs until float32 strays from float64; say how far the logits got.

    Rounding grows with the size of the logits, so their peak tells, for any later batch, whether
    it lies in the region that was tried here. 0 means that float32 is never used.
    """
    reach = 0.0
    for spread in _TYPICAL_SPREADS:
        x = spread * typical
        with np.errstate(over="ignore", invalid="ignore"):
            exact = forward(centred, x, activation)
            rounded = forward(fast, x.astype(np.float32), activation)
        if not np.abs(rounded.a2 - exact.a2).max() <= _ALLOWED_ERROR:
            break
        reach = float(np.abs(rounded.z2).max())
    return reach
