"""What a check found, for programs and for people."""

import textwrap
from typing import Any, NamedTuple

import numpy as np

from model.gradients.diagnosis.evidence import AS_IT_SHOULD_BE, Evidence
from model.gradients.diagnosis.judging import Judged, Verdict, Worst
from model.gradients.diagnosis.naming import Found

_WIDTH = 96  # columns of the report for people
_SHOWN_INVARIANT = 1e-6  # relative; smaller sums are 0 but for rounding


class Report(NamedTuple):
    """The verdict and what it rests on; as text, what a person wants to read of it."""

    verdict: Verdict
    tensors: dict[str, Judged]
    not_given: tuple[str, ...]  # tensors that were wanted
    mistakes: tuple[Found, ...]  # best first; empty when right
    evidence: Evidence
    blind_spots: tuple[str, ...]  # slugs of mistakes that these tensors could not have shown here

    def document(self) -> dict[str, Any]:  # Any: JSON
        """As JSON: what is no finite number is null."""
        return {
            "verdict": self.verdict,
            "tensors": {name: _tensor(judged) for name, judged in self.tensors.items()},
            "not_given": list(self.not_given),
            "mistakes": [_mistake(found) for found in self.mistakes],
            "evidence": _plain(self.evidence),
            "blind_spots": list(self.blind_spots),
        }

    def __str__(self) -> str:
        """The verdict, each tensor, the mistakes with their remedies, and the evidence."""
        lines = [self.verdict, ""]
        for name, judged in self.tensors.items():
            lines += _lines(name, judged)
        if self.not_given:
            lines.append(f"  not given: {', '.join(self.not_given)}")
        for found in self.mistakes:
            lines += ["", *_explained(found)]
        if self.verdict == "wrong" and not self.mistakes:
            lines += ["", "No mistake of the catalogue gives these numbers."]
        tolerance = max(judged.tolerance for judged in self.tensors.values())
        if shown := _shown(self.evidence, max(_SHOWN_INVARIANT, 10 * tolerance)):
            lines += ["", *shown]
        if self.blind_spots and self.verdict != "undecidable":
            listed = "These mistakes would not have shown here: " + ", ".join(self.blind_spots)
            lines += ["", *_wrapped(listed, "  ")]
        return "\n".join(lines)


def _tensor(judged: Judged) -> dict[str, Any]:
    worst = judged.worst
    return {
        "verdict": judged.verdict,
        "precision": judged.precision,
        "relative_error": judged.relative_error,
        "worst": worst and _plain(worst._asdict()),
    }


def _mistake(found: Found) -> dict[str, Any]:
    words = found.mistake
    return {
        "slug": words.slug,
        "explanation": words.explanation,
        "wrong": words.wrong,
        "right": words.right,
        "see": words.see,
        "fit": found.fit,
        "equivalent": list(found.equivalent),
        "convention": words.convention,
    }


def _plain(value: Any) -> Any:
    """Lists, dicts, numbers and text; None for what is no finite number."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _lines(name: str, judged: Judged) -> list[str]:
    line = f"  {name:<8} {judged.verdict:<11} {judged.precision}"
    if judged.relative_error is not None:
        line += f", relative error {judged.relative_error:.2g}"
    if judged.worst is None or judged.verdict == "right":
        return [line]
    return [line, f"  {'':<8} {_at(judged.worst)}"]


def _at(worst: Worst) -> str:
    index = ", ".join(map(str, worst.index))
    return f"worst at [{index}]: expected {worst.expected:.9g}, received {worst.received:.9g}"


def _explained(found: Found) -> list[str]:
    words = found.mistake
    lines = _wrapped(f"{words.slug}: {words.explanation}")
    lines += [
        f"  wrong   {words.wrong}",
        f"  right   {words.right}",
        f"  to see  {words.see}",
        f"  fit     {found.fit:.6f}",
    ]
    if words.convention:
        lines.append("  This is a convention: right elsewhere, but not what was asked here.")
    if found.equivalent:
        lines.append(f"  The same numbers here: {', '.join(found.equivalent)}")
    return lines


def _shown(evidence: Evidence, noticeable: float) -> list[str]:
    where = evidence.get("localisation", "")
    lines = [f"{where}."] if "right" in where or ";" in where else []
    lines += [
        f"{name} has the shape {found['received']}; expected {found['expected']}."
        for name, found in evidence.get("shapes", {}).items()
    ]
    for name, found in evidence.get("scale", {}).items():
        if found["is"] != "1":
            known = found["is"] or ""
            meaning = f", which is {known}" if any(map(str.isalpha, known)) else ""
            lines.append(f"{name} is {found['ratio']:.6g} times the right one{meaning}.")
    lines += [
        f"Your numbers mean {text}."
        for key in ("implied_delta3", "implied_activation_derivative")
        if (text := evidence.get(key, {}).get("text")) not in (None, *AS_IT_SHOULD_BE)
    ]
    lines += [
        f"{name.replace('_', ' ')}: {size:.2g} times the largest entry; expected 0."
        for name, size in evidence.get("invariants", {}).items()
        if size > noticeable
    ]
    if (labels := evidence.get("labels_by_sign")) is not None:
        lines.append(f"By its signs, delta3 was made with the labels {list(labels)}.")
    if "decidable_with" in evidence:
        lines.append(
            "With so few digits, a mistake may hide behind the rounding. "
            f"Give {evidence['decidable_with']} or more."
        )
    if (point := evidence.get("decidable_at")) is not None:
        lines.append(
            "Rounding alone may have moved these numbers by more than a mistake would. It can be "
            f"decided at the probe with level {point['level']} and seed {point['seed']}."
        )
    return [line for text in lines for line in _wrapped(text)]


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent=indent, break_on_hyphens=False)
