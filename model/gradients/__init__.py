"""Gradients to see and to trust: any derivative, and independent oracles to hold it against.

What softlens serves is float64 throughout. From Python a float32 point gets float32 answers.
"""

from model.gradients.attributions import METHODS, Attributions, Method, Network, Path, attribute
from model.gradients.chain import (
    NODES,
    PARAMETERS,
    Point,
    delta3,
    point_of_logits,
    point_of_network,
)
from model.gradients.derivatives import (
    Mode,
    Question,
    Sizes,
    check,
    derivative,
    result_shape,
    sizes_of,
    vector_shape,
)
from model.gradients.intermediates import Tensor, count_of_tensors, tensors
from model.gradients.kernels import input_jacobians, softmax_jacobians
from model.gradients.oracles import complex_step_slope, reference_loss

__all__ = [
    "METHODS",
    "NODES",
    "PARAMETERS",
    "Attributions",
    "Method",
    "Mode",
    "Network",
    "Path",
    "Point",
    "Question",
    "Sizes",
    "Tensor",
    "attribute",
    "check",
    "complex_step_slope",
    "count_of_tensors",
    "delta3",
    "derivative",
    "input_jacobians",
    "point_of_logits",
    "point_of_network",
    "reference_loss",
    "result_shape",
    "sizes_of",
    "softmax_jacobians",
    "tensors",
    "vector_shape",
]
