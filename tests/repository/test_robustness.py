"""docs/robustness.md leaves out no row, and names tests that there are."""

import re

import pytest

from tests.attacks import test_http
from tests.attacks.test_attacks import ATTACKS
from tests.serving import ROOT

PAGE = (ROOT / "docs" / "robustness.md").read_text(encoding="utf-8")
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
CATALOGUE = {
    "J": (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, *range(13, 21), 22, 23, 25, 26, 28, 30, 31, 32),
    "V": range(1, 9),
    "P": (1, 4, 5, 6, 7, 9, 10, 11, 12),
    "H": range(1, 29),
    "M": (1, 2, 3, 4, 5, *range(8, 15), 16, 17, 18),
    "F": range(1, 10),
    "X": (1, 2, 3, 4, 5, 6, *range(8, 15), 17),
    "C": range(1, 7),
    "A": range(1, 4),
    "W": range(1, 5),
}
ROWS = [f"{letter}{number}" for letter, numbers in CATALOGUE.items() for number in numbers]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ATTACKED = {found[0] for name in ATTACKS if (found := re.findall(r": ([A-Z]\d+) ", name))}
EXCHANGED = {name.partition(" ")[0] for name in test_http.ROWS}
# Sections of attacks name the one test for all their rows.
TABLES = {
    "test_every_attack_gets_its_promised_answer": ATTACKED,
    "test_every_exchange_ends_as_promised": EXCHANGED,
}


def lines_of(row: str) -> list[str]:
    """Where the page tells of a row, each with the section it stands in."""
    return [
        f"{line}\n{section}"
        for section in PAGE.split("\n## ")
        for line in section.splitlines()
        if line.startswith(f"| {row} |")
    ]


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_held_by_a_test_or_waits_for_a_reason(row: str) -> None:
    found = lines_of(row)

    assert found
    for text in found:
        line, _, section = text.partition("\n")
        attacked = any(test in section and row in rows for test, rows in TABLES.items())
        waits = re.search(r"waits: .{10,}", line)
        assert NAMED.search(line) or "the same" in line or attacked or waits, line


@pytest.mark.parametrize("page", ["robustness.md", "security.md"])
def test_every_test_that_is_named_exists(page: str) -> None:
    named = NAMED.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))

    assert named
    for file, test in named:
        assert f"\ndef {test}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file}::{test}"


def test_every_row_that_the_attacks_name_is_in_the_catalogue() -> None:
    assert {row for row in ATTACKED | EXCHANGED if not lines_of(row)} == set()
