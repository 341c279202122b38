"""Names for the arrays that cross boundaries. The dtype is part of the promise."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

# Any: the same formulas serve float32 (training, serving) and float64 (everything that checks).
Floats: TypeAlias = NDArray[np.floating[Any]]
Float32s: TypeAlias = NDArray[np.float32]
Float64s: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64 | np.uint8]  # class indices from 0; bytes where very many
