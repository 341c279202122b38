"""Training: from a dataset to an artifact. The public face."""

from model.training.certificate import certify
from model.training.fitting import Fit, fit
from model.training.loop import Epoch
from model.training.plan import Plan
from model.training.record import evaluate_logits

__all__ = ["Epoch", "Fit", "Plan", "certify", "evaluate_logits", "fit"]
