"""Exact arithmetic to hold the formulas against; shares no code with them."""

import mpmath
import numpy as np

from model import Float64s

mpmath.mp.dps = 400  # digits: more than exp(-300) can cancel


def exact_softmax(logits: list[float]) -> list[mpmath.mpf]:
    powers = [mpmath.exp(mpmath.mpf(z)) for z in logits]
    return [power / mpmath.fsum(powers) for power in powers]


def exact_softmax_jacobian(logits: list[float]) -> Float64s:
    p = exact_softmax(logits)
    size = range(len(p))
    return np.array(
        [[float(p[i] * ((1 if i == j else 0) - p[j])) for j in size] for i in size], np.float64
    )


def exact_vjp(logits: list[float], cotangent: list[float]) -> Float64s:
    p, v = exact_softmax(logits), [mpmath.mpf(value) for value in cotangent]
    mean = mpmath.fsum(a * b for a, b in zip(p, v, strict=True))
    return np.array([float(a * (b - mean)) for a, b in zip(p, v, strict=True)], np.float64)


def exact_cross_entropy(logits: list[list[float]], labels: list[int]) -> float:
    losses = [-mpmath.log(exact_softmax(z)[k]) for z, k in zip(logits, labels, strict=True)]
    return float(mpmath.fsum(losses) / len(losses))
