"""The parts that every report is made of."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Requirement(NamedTuple):
    """Something to reach, and whether it was."""

    what: str
    wanted: str
    found: str
    met: bool


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """First column to the left, the others to the right."""
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


def verdicts(requirements: Iterable[Requirement]) -> str:
    """One row for each requirement."""
    rows = [
        (need.what, need.wanted, need.found, "met" if need.met else "**missed**")
        for need in requirements
    ]
    return table(("requirement", "wanted", "found", ""), rows)


def paragraphs(*parts: str) -> str:
    return "\n\n".join(parts)
