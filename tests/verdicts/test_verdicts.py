"""The short form of `python -m tests.verdicts`, and that it leaves nothing out."""

import re

import pytest

from model.gradients.mistakes import deltas, jacobians, layouts, scales, slopes, sums
from model.gradients.mistakes.mistake import Mistake
from tests.benchmarks.markdown import Requirement
from tests.serving import ROOT
from tests.verdicts.bars import requirements
from tests.verdicts.entries import ENTRIES
from tests.verdicts.page import entries, misses
from tests.verdicts.running import Ran, Size, run
from tests.verdicts.shown import SHOWN

SIZE = Size(probes=10, rights=500, pairs=2)


@pytest.fixture(scope="module")
def ran() -> Ran:
    return run(SIZE, processes=1)


@pytest.fixture(scope="module")
def found(ran: Ran) -> dict[str, Requirement]:
    return {need.what: need for need in requirements(ran)}


def test_every_bar_is_met(ran: Ran, found: dict[str, Requirement]) -> None:
    assert [need for need in found.values() if not need.met] == [], "\n".join(misses(ran))


def test_every_mistake_is_made_at_each_of_its_levels(ran: Ran) -> None:
    tried = {(trial.level, trial.slug) for trial in ran.trials}

    assert tried == {(level, slug) for level, slugs in SHOWN.items() for slug in slugs} - {
        ("jacobian", "transposed")
    }


def test_right_answers_are_as_many_as_was_asked_for(ran: Ran) -> None:
    assert ran.rights >= SIZE.rights


def catalogued() -> set[str]:
    """The slugs of every mistake that the catalogue's modules define, in tables or by name."""
    modules = (deltas, jacobians, layouts, scales, slopes, sums)
    values = [value for module in modules for value in vars(module).values()]
    rows = [row for value in values if isinstance(value, tuple) for row in value]
    single = [value for value in values if isinstance(value, Mistake)]
    return {one.slug for one in single} | {
        row.mistake.slug for row in rows if hasattr(row, "mistake")
    }


def test_the_programs_make_every_mistake_of_the_catalogue() -> None:
    assert {slug for slugs in SHOWN.values() for slug in slugs} == catalogued()


def test_every_mistake_belongs_to_an_entry() -> None:
    text = " ".join(entry.found for entry in ENTRIES)
    named = set(re.findall(r"`([a-z0-9-]+)`", text))

    assert len(ENTRIES) == 47
    assert named == catalogued()


def test_the_page_shows_the_entries_as_they_are() -> None:
    assert entries() in (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
