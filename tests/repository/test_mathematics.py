"""docs/mathematics.md runs, is numbered without gaps, and holds every equation the code cites."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "mathematics.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
TAGS = [int(number) for number in re.findall(r"\\tag\{(\d+)\}", PAGE)]

# "equation 4", "equations 12 to 17, 21 and 22", across a line break too; not a book's "4.105".
NUMBER = r"\d+(?!\.?\d)"
CITATION = re.compile(rf"\bequations?\s+({NUMBER}(?:(?:,|\s+to|\s+and)\s+{NUMBER})*)")


def cited_equations(source: str) -> set[int]:
    cited: set[int] = set()
    for numbers in CITATION.findall(source):
        for first, last in re.findall(r"(\d+)(?:\s+to\s+(\d+))?", numbers):
            cited |= set(range(int(first), int(last or first) + 1))
    return cited


SOURCES = {
    str(path.relative_to(ROOT)): source
    for folder in ("model", "app")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if cited_equations(source := path.read_text(encoding="utf-8"))
}


def test_the_page_shows_its_numbers_in_code() -> None:
    assert 1 <= len(BLOCKS) <= 3
    assert all("assert " in block for block in BLOCKS)


@pytest.mark.parametrize("block", BLOCKS, ids=range(1, len(BLOCKS) + 1))
def test_every_code_block_runs_on_its_own(block: str) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", block], capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr


def test_equations_are_numbered_from_1_without_gaps() -> None:
    assert list(range(1, 38)) == TAGS


def test_every_equation_mentioned_on_the_page_is_on_it() -> None:
    mentioned = {int(number) for number in re.findall(r"(?<![\w)])\((\d+)\)", PAGE)}

    assert mentioned <= set(TAGS)


def test_the_network_and_its_functions_cite_the_page() -> None:
    assert {"model/functions.py", "model/network.py"} <= set(SOURCES)


@pytest.mark.parametrize("file", SOURCES)
def test_every_equation_the_code_cites_is_on_the_page(file: str) -> None:
    assert cited_equations(SOURCES[file]) <= set(TAGS)


@pytest.mark.parametrize("file", SOURCES)
def test_a_file_says_whose_equations_it_cites(file: str) -> None:
    """The first citation in a file is of this page, and names it."""
    before = SOURCES[file][: next(CITATION.finditer(SOURCES[file])).start()]

    assert "docs/mathematics.md" in before


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("equation 4.", {4}),
        ("equations 12\n    to 14", {12, 13, 14}),
        ("equations 12 to 14, 21 and 22; Guo et al. 2017", {12, 13, 14, 21, 22}),
        ("Bishop, equation 14.105", set()),
        ("Equation numbers are those of the page", set()),
    ],
)
def test_citations_are_recognised(text: str, numbers: set[int]) -> None:
    assert cited_equations(text) == numbers
