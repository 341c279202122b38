"""The learning rate over a run, as a multiple of the plan's."""

import math

from model.training.plan import Plan


def learning_rate_at(plan: Plan, step: int, steps_per_epoch: int) -> float:
    """Linear warm-up, then constant or half a cosine down towards 0.

    Args:
        plan: names the schedule, the peak and the warm-up.
        step: number of the update, from 0.
        steps_per_epoch: at least 1.

    Source: docs/mathematics.md, equation 25; Loshchilov and Hutter 2017.
    """
    warmup = min(plan.warmup, plan.epochs - 1) * steps_per_epoch
    if step < warmup:
        return plan.learning_rate * (step + 1) / (warmup + 1)
    if plan.schedule == "constant":
        return plan.learning_rate
    done = (step - warmup) / (plan.epochs * steps_per_epoch - warmup)
    return plan.learning_rate * (1 + math.cos(math.pi * done)) / 2
