"""Adam's update as one compiled pass, where numba is there and the work is worth it.

The same operations on every entry, in the same order, as in `optimizers.Adam`, which is the
reference: results are the same to the bit, so that it may take over in the middle of a run. NumPy
makes ten passes over five vectors. docs/decisions/0015-compiled-training.md has the measurements.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from model.arrays import Float32s

# parameters, gradient, mean and square, each (P,), then rate and epsilon
Update: TypeAlias = Callable[[Float32s, Float32s, Float32s, Float32s, np.float32, np.float32], None]

# Entries moved, some 0.15 s of NumPy's. To import numba and to compile takes about twice as long,
# so nobody waits for more than about three times what he would have waited without.
_WORTH_COMPILING = 2**27


class Later:
    """The update, once so much was moved without it that it is worth to be made.

    Attributes:
        found: the update; None while it is too early, and without numba for ever.
        left: entries to move before it is asked for.
    """

    def __init__(self, beta1: float, beta2: float) -> None:
        self.found: Update | None = None
        self.left = _WORTH_COMPILING
        self._betas = beta1, beta2

    def moved(self, entries: int) -> None:
        """Note that so many entries were moved without it."""
        if self.left > 0:
            self.left -= entries
            if self.left <= 0:
                self.found = compiled_adam(*self._betas)


@cache
def compiled_adam(beta1: float, beta2: float) -> Update | None:
    """The update in one pass; None without numba. docs/mathematics.md, equation 24.

    Args:
        beta1: of the mean.
        beta2: of the square.
    """
    numba: Any  # a module without types
    try:
        import numba  # noqa: PLC0415  a tenth of a second, only where it is asked for
    except ImportError:
        return None
    first, second = np.float32(beta1), np.float32(beta2)

    def update(
        theta: Float32s,
        gradient: Float32s,
        mean: Float32s,
        square: Float32s,
        rate: np.float32,
        epsilon: np.float32,
    ) -> None:
        for i in range(theta.size):
            g = gradient[i]
            mean[i] = mean[i] * first + g
            square[i] = square[i] * second + g * g
            theta[i] -= mean[i] / (np.sqrt(square[i]) + epsilon) * rate

    # Nothing is contracted or reordered: a fused multiplication would round once less. And nothing
    # is kept on disk, which might be full, or not ours.
    vector, number = numba.float32[::1], numba.float32
    signature = numba.void(vector, vector, vector, vector, number, number)
    found: Update = numba.njit(signature, nogil=True, error_model="numpy")(update)
    return found
