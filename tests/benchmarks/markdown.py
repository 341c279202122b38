"""The parts that every report is made of, and the page they are put on."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple


class Report(NamedTuple):
    """What a benchmark has to say, where pictures go with the words."""

    text: str
    pictures: dict[str, str]  # SVG by the name of its file in docs/images


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


def write(document: Path, name: str, text: str) -> None:
    """Replace what stands between the two comments that bear the name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    between = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
    old = document.read_text()
    if not between.search(old):
        raise SystemExit(f"{document}: expected {begin} and {end}, found none")
    document.write_text(between.sub(lambda _: f"{begin}\n{text}\n{end}", old))
