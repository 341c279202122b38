"""The forward pass in float32, and for which rows it cannot be trusted.

The reasons, and the measurements behind the constants: docs/decisions/0002-folding.md.
"""

import math
from typing import NamedTuple

import numpy as np

from model.arrays import Float32s, Float64s, Floats, Labels
from model.artifact import Artifact
from model.errors import ArtifactError
from model.functions import Activation
from model.network import Parameters, forward

_PROMISE = 1.5e-6  # absolute error of a probability; 2e-6 is what is promised outside
_CAUTION = 4.0  # times the largest error seen on typical rows
_LARGEST_LOGIT_ERROR = 0.01
_FAR = 8.0  # centre / scale, beyond which adding the centre to b1 costs a digit
_UNITS = (2.0**-40, 2.0**40)  # of features, for which W1 / scale keeps within float32
_TYPICAL_ROWS = 64


class SelfTestError(ArtifactError):
    """The network cannot answer typical inputs."""


class Single(NamedTuple):
    """float32 weights, and the measure of their errors."""

    weights: Parameters
    centre: Float64s | None  # (D,)  subtracted before the products; None: b1 has it
    scale: Float64s  # (D,)
    squared_units: Float32s  # (D,)  in which the norm of a row is taken
    error_rate: float  # bound on the error of a logit, for a row of norm 0

    def prepared(self, inputs: Floats) -> Float32s:
        """Raw features (N, D) as the weights expect them."""
        if self.centre is None:
            return inputs.astype(np.float32, copy=False)
        exact = inputs - self.centre
        exact /= self.scale
        return exact.astype(np.float32)

    def doubtful(self, x: Float32s, largest: Floats) -> Labels:
        """Indices of the rows whose probabilities may be off by more than is promised.

        Rounding of the logits grows with the norm of the row. A probability moves by at most
        2 p (1 - p) times as much, for the largest p of its row.

        Args:
            x: (N, D), prepared.
            largest: (N, 1), the largest probability of each.
        """
        error = self.error_rate * (1 + self.norms(x))
        # To first order only; logits that may be far off say nothing of max p either. NaN is never
        # certain.
        p = largest[:, 0]
        certain = error <= _LARGEST_LOGIT_ERROR
        certain &= 2 * p * (1 - p) * error <= _PROMISE
        return np.flatnonzero(~certain)

    def trusts(self, x: Float32s, largest: float) -> bool:
        """Whether one row is certain not to be doubtful. x: (D,), prepared."""
        error = self.error_rate * (1 + math.sqrt(np.vdot(np.square(x), self.squared_units)))
        return error <= _LARGEST_LOGIT_ERROR and 2 * largest * (1 - largest) * error <= _PROMISE

    def norms(self, x: Float32s) -> Float32s:
        """Length of each prepared row (N,), in its units: one pass, and a product."""
        return np.sqrt(np.square(x) @ self.squared_units)


def single_of(artifact: Artifact, exact: Parameters, activation: Activation) -> Single:
    """Fold an artifact into float32 weights, and measure their errors on typical rows.

    Args:
        artifact: its arrays.
        exact: the same in float64, with the temperature, acting on standardised rows.
        activation: f.

    Returns:
        The weights, warm for requests.

    Raises:
        SelfTestError: float32, in which the network was trained, cannot answer typical rows.
    """
    single = _folded(artifact, exact)
    typical = np.random.default_rng(0).normal(size=(_TYPICAL_ROWS, len(single.scale)))
    mean, scale = artifact.input_mean, artifact.input_scale
    rows = mean + scale * typical
    with np.errstate(over="ignore", invalid="ignore"):
        x = single.prepared(rows)
        forward(single.weights, x[:1], activation)  # BLAS has another way for one row
        found = forward(single.weights, x, activation).z2
        error = np.abs(found - forward(exact, (rows - mean) / scale, activation).z2).max(axis=1)
        norms = single.norms(x)
    if not np.isfinite(found).all():
        raise SelfTestError("fails its self-test: its logits overflow on typical inputs")
    seen = _CAUTION * (error / (1 + norms)).max()
    return single._replace(error_rate=float(max(seen, _least_error(exact))))


def _folded(artifact: Artifact, exact: Parameters) -> Single:
    mean, scale, saved = artifact.input_mean, artifact.input_scale, artifact.parameters
    with np.errstate(over="ignore"):
        if not _near(mean, scale):
            # W1 is shared with what was saved: there may be many models.
            weights = Parameters(
                saved.W1, saved.b1, exact.W2.astype(np.float32), exact.b2.astype(np.float32)
            )
            units = np.ones_like(saved.W1[:, 0])
            return Single(weights, mean, scale, units, np.inf)

        units = 1 / scale
        raw = exact._replace(W1=exact.W1 * units[:, None], b1=exact.b1 - (mean * units) @ exact.W1)
        weights = Parameters(*(array.astype(np.float32) for array in raw))
    return Single(weights, None, scale, np.square(units).astype(np.float32), np.inf)


def _near(mean: Float64s, scale: Float64s) -> bool:
    """Whether raw features can go into the products without losing digits, or leaving float32."""
    smallest, largest = _UNITS
    near = (np.abs(mean) <= _FAR * scale) & (scale >= smallest) & (scale <= largest)
    return bool(near.all())


def _least_error(exact: Parameters) -> float:
    """A quarter of one rounding of each product: a floor for units that no typical row woke."""
    into = np.linalg.norm(exact.W1) + np.linalg.norm(exact.b1)
    out = np.linalg.norm(exact.W2, axis=0).max()  # each logit has a column of its own
    return float(2.0**-26 * (into * out + np.abs(exact.b2).max()))
