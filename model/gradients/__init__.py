"""Independent derivatives to hold the explicit ones against; everything here is float64."""

from model.gradients.oracles import Complex, complex_step_slope, reference_loss

__all__ = ["Complex", "complex_step_slope", "reference_loss"]
