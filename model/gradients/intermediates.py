"""Every tensor of one forward and one backward pass, by its name."""

from typing import NamedTuple

from model.arrays import Floats
from model.functions import cross_entropy
from model.gradients.chain import Point, delta3, known
from model.gradients.derivatives import Question, Sizes, derivative


class Tensor(NamedTuple):
    """A named array and the equation of docs/mathematics.md that makes it."""

    name: str
    equation: int | None  # None for what was given
    value: Floats | float


def count_of_tensors(sizes: Sizes) -> int:
    """How many numbers `tensors` returns, known before anything is computed."""
    rows, features, hidden, classes = sizes
    forward_and_deltas = rows * (features + 3 * hidden + 3 * classes) + 1
    return forward_and_deltas + (features + 1) * hidden + (hidden + 1) * classes


def tensors(point: Point) -> list[Tensor]:
    """What a forward and a backward pass compute, in the order they compute it.

    Args:
        point: of a network, with labels.

    Returns:
        inputs z1 a1 logits probabilities loss delta3 dW2 db2 delta2 dW1 db1, in float64; the
        gradients are those of the mean loss, by the weights that act on raw features.
    """
    labels = known(point.labels)

    def slope(wrt: str) -> Floats:
        return derivative(point, Question("loss", wrt))

    return [
        Tensor("inputs", None, known(point.inputs)),
        Tensor("z1", 1, known(point.z1)),
        Tensor("a1", 2, known(point.a1)),
        Tensor("logits", 3, point.logits),
        Tensor("probabilities", 4, point.probabilities),
        Tensor("loss", 6, cross_entropy(point.logits, labels)),
        Tensor("delta3", 12, delta3(point)),
        Tensor("dW2", 13, slope("W2")),
        Tensor("db2", 14, slope("b2")),
        Tensor("delta2", 15, slope("z1")),
        Tensor("dW1", 16, slope("W1")),
        Tensor("db1", 17, slope("b1")),
    ]
