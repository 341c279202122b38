"""Gradients to see and to trust: any derivative, and independent oracles to hold it against.

Everything here is float64.
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
    check_question,
    derivative,
    result_shape,
    sizes_of,
    vector_shape,
)
from model.gradients.diagnosis.judging import Judged, Verdict, Worst
from model.gradients.diagnosis.naming import Found
from model.gradients.diagnosis.verdicts import Report, check
from model.gradients.differences import (
    CentralDifference,
    Kink,
    TaylorRemainder,
    central_differences,
    crossed_kinks,
    taylor_remainder,
)
from model.gradients.floors import Floors, jacobian_floor, rounding_floors
from model.gradients.intermediates import Tensor, count_of_tensors, tensors
from model.gradients.mistakes.mistake import Mistake
from model.gradients.oracles import (
    Objective,
    complex_step_gradient,
    complex_step_slope,
    reference_loss,
)
from model.gradients.probes import Probe, probe

__all__ = [
    "METHODS",
    "NODES",
    "PARAMETERS",
    "Attributions",
    "CentralDifference",
    "Floors",
    "Found",
    "Judged",
    "Kink",
    "Method",
    "Mistake",
    "Mode",
    "Network",
    "Objective",
    "Path",
    "Point",
    "Probe",
    "Question",
    "Report",
    "Sizes",
    "TaylorRemainder",
    "Tensor",
    "Verdict",
    "Worst",
    "attribute",
    "central_differences",
    "check",
    "check_question",
    "complex_step_gradient",
    "complex_step_slope",
    "count_of_tensors",
    "crossed_kinks",
    "delta3",
    "derivative",
    "jacobian_floor",
    "point_of_logits",
    "point_of_network",
    "probe",
    "reference_loss",
    "result_shape",
    "rounding_floors",
    "sizes_of",
    "taylor_remainder",
    "tensors",
    "vector_shape",
]
