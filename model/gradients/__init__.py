"""Gradients to see and to trust: derivatives, and independent oracles to hold them against.

Everything here is float64.
"""

from model.gradients.derivative import Derivative, softmax_derivative
from model.gradients.oracles import complex_step_slope, reference_loss

__all__ = ["Derivative", "complex_step_slope", "reference_loss", "softmax_derivative"]
