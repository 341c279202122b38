"""Where softmax is so sure that nothing moves it, which is said beside a derivative of zeros."""

import numpy as np

from model.arrays import Floats
from model.gradients.derivatives import Question

CERTAIN = (
    "In these rows one probability is 1 to rounding, so that nothing moves it: their "
    "derivatives are close to 0 whatever comes before. Ask for `of`: `logits` instead."
)


def certain_rows(question: Question, probabilities: Floats) -> list[int]:
    """Rows whose softmax is saturated, where that is what the derivative shows.

    Args:
        question: what was differentiated.
        probabilities: (N, C).

    Returns:
        Their indices from 0; none unless the probabilities themselves were differentiated.
    """
    if question.of != "probabilities":
        return []
    return np.flatnonzero(probabilities.max(axis=1) == 1.0).tolist()
