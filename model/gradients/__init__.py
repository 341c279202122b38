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
    check_question,
    derivative,
    result_shape,
    sizes_of,
    vector_shape,
)
from model.gradients.diagnosis.judging import Judged, Verdict, Worst
from model.gradients.diagnosis.naming import Found
from model.gradients.diagnosis.places import Place, place_of
from model.gradients.diagnosis.report import Report
from model.gradients.diagnosis.verdicts import (
    assert_gradient,
    blind_spots_of,
    check,
    possible_mistakes,
)
from model.gradients.differences import (
    CentralDifference,
    Kink,
    TaylorRemainder,
    central_differences,
    crossed_kinks,
    taylor_remainder,
)
from model.gradients.floors import Floors, jacobian_floor, rounding_floors
from model.gradients.given import LEVELS, Given, Level, Passed, at_network, right_answers
from model.gradients.intermediates import Tensor, count_of_tensors, tensors
from model.gradients.kernels import input_jacobians, softmax_jacobians
from model.gradients.mistakes.mistake import Mistake
from model.gradients.oracles import (
    Objective,
    complex_step_gradient,
    complex_step_slope,
    reference_loss,
)
from model.gradients.probes import LARGEST_SEED, Probe, activation_of, probe
from model.gradients.reading import read_given
from model.gradients.saturation import CERTAIN, certain_rows

__all__ = [
    "CERTAIN",
    "LARGEST_SEED",
    "LEVELS",
    "METHODS",
    "NODES",
    "PARAMETERS",
    "Attributions",
    "CentralDifference",
    "Floors",
    "Found",
    "Given",
    "Judged",
    "Kink",
    "Level",
    "Method",
    "Mistake",
    "Mode",
    "Network",
    "Objective",
    "Passed",
    "Path",
    "Place",
    "Point",
    "Probe",
    "Question",
    "Report",
    "Sizes",
    "TaylorRemainder",
    "Tensor",
    "Verdict",
    "Worst",
    "activation_of",
    "assert_gradient",
    "at_network",
    "attribute",
    "blind_spots_of",
    "central_differences",
    "certain_rows",
    "check",
    "check_question",
    "complex_step_gradient",
    "complex_step_slope",
    "count_of_tensors",
    "crossed_kinks",
    "delta3",
    "derivative",
    "input_jacobians",
    "jacobian_floor",
    "place_of",
    "point_of_logits",
    "point_of_network",
    "possible_mistakes",
    "probe",
    "read_given",
    "reference_loss",
    "result_shape",
    "right_answers",
    "rounding_floors",
    "sizes_of",
    "softmax_jacobians",
    "taylor_remainder",
    "tensors",
    "vector_shape",
]
