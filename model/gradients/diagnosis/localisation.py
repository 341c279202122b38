"""Where to look, in one sentence, when something is wrong."""

from model.gradients.diagnosis.evidence import Evidence
from model.gradients.diagnosis.judging import Judged
from model.gradients.diagnosis.naming import Named

_PLACES = {
    "jacobian": "the formula of the Jacobian",
    "delta3": "delta3",
    "dW2": "what dW2 is made from",
    "db2": "the sum of delta3 over the rows",
    "delta2": "delta2",
    "dW1": "delta2 and what dW1 is made from",
    "db1": "the sum of delta2 over the rows",
}


_OUTSIDE = 1e-3  # relative; what is left of a gradient when it is not in the span of its source


def localised(tensors: dict[str, Judged], named: Named, shown: Evidence) -> str:
    """What is right, what is not, and where to look for what the catalogue does not explain."""
    right = [name for name, judged in tensors.items() if judged.verdict == "right"]
    wrong = [name for name, judged in tensors.items() if judged.verdict == "wrong"]
    parts = [f"{_listed(right)} right"] if right else []
    parts.append(f"{_listed(wrong)} wrong")
    if named.unnamed_delta3:
        parts.append(
            "delta3 is none that the catalogue knows; the rest was judged by what follows from it"
        )
    for name, source, key, residual in (
        ("dW2", "a1", "implied_delta3", "outside_span_of_a1"),
        ("dW1", "the inputs", "implied_activation_derivative", "outside_span_of_inputs"),
    ):
        if name in named.unexplained and shown.get(key, {}).get(residual, 0) > _OUTSIDE:
            parts.append(f"{name} is not in the span of {source}")
    if named.unexplained and len(tensors) > 1:
        parts.append("look at " + ", ".join(_PLACES[name] for name in named.unexplained))
    return "; ".join(parts)


def _listed(names: list[str]) -> str:
    text = ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
    return f"{text} {'is' if len(names) == 1 else 'are'}"
