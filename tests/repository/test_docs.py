"""README and docs tell the truth: blocks run, links lead somewhere, nothing is left out."""

import re
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import numpy as np
import pytest

from app import exit_codes
from app.check_schemas import CHECK_REQUEST
from app.command_line import COMMANDS
from app.errors import STATUSES
from app.settings import Settings
from model import save_artifact
from model.data import load_digits
from model.gradients import check, probe, read_given, right_answers
from model.training import Plan, fit
from tests.repository.blocks import Reader, agrees, commands_of, steps_of
from tests.serving import DEADLINE, ROOT, environment

DOCS = ROOT / "docs"
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "SECURITY.md", *sorted(DOCS.rglob("*.md")))
    if path.exists()
}
RUN = [name for name, page in PAGES.items() if re.search("^```(python|console)$", page, re.M)]
LINK = re.compile(r"\[[^\]]*\]\((?!\w+:)([^)#\s]*)(#[^)\s]*)?\)")
CODES = {name: code for name, code in vars(exit_codes).items() if name.isupper()}


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `softlens train --output digits.npz` makes."""
    path = tmp_path_factory.mktemp("trained") / "digits.npz"
    save_artifact(path, fit(load_digits(), Plan(), "digits").artifact)
    return path


@pytest.fixture
def reader(tmp_path: Path, digits: Path) -> Iterator[Reader]:
    folder = tmp_path / "folder"
    folder.mkdir()
    reader = Reader(folder, digits)
    yield reader
    reader.close()


@pytest.mark.parametrize("name", RUN)
def test_a_page_does_what_it_says(name: str, reader: Reader) -> None:
    for step in steps_of(PAGES[name]):
        reader.follow(step, name)


@pytest.mark.parametrize("name", PAGES)
def test_every_block_is_run_or_excused(name: str) -> None:
    for step in steps_of(PAGES[name]):
        place = f"{name}:{step.line}"
        assert step.kind in {"python", "console", "sh", "text", "given", "serve"}, place
        if step.kind == "sh":
            assert "not run here" in step.before.lower(), f"{place} does not say why it is not run"


@pytest.mark.parametrize("name", PAGES)
def test_every_fence_is_understood(name: str) -> None:
    fences = re.findall(r"^\s*(?:```|~~~)", PAGES[name], flags=re.MULTILINE)
    blocks = [step for step in steps_of(PAGES[name]) if step.kind not in {"given", "serve"}]

    assert len(fences) == 2 * len(blocks)


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    for path, anchor in LINK.findall(PAGES[name]):
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), path
        if anchor:
            assert anchor[1:] in anchors_of(target.read_text(encoding="utf-8")), path + anchor


def anchors_of(page: str) -> set[str]:
    """The anchors that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", page, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_default(name: str) -> None:
    default = Settings.model_fields[name].default
    default = {True: "on", False: "off"}[default] if isinstance(default, bool) else default
    shown = "none" if default is None else f"`{default}`".replace(".0`", "`")

    assert f"| `SOFTLENS_{name.upper()}` | {shown} |" in PAGES["docs/operating.md"]


@pytest.mark.parametrize(
    ("slug", "status"),
    [
        *STATUSES.items(),
    ],
)
def test_every_problem_is_documented_with_its_status(slug: str, status: HTTPStatus) -> None:
    assert f"| `{slug}` | {status} |" in PAGES["docs/http-api.md"]


@pytest.mark.parametrize("field", ["given", "candidate"])
def test_every_array_of_a_check_is_documented(field: str) -> None:
    form = CHECK_REQUEST["oneOf"][1]["properties"][field]

    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| ", PAGES["docs/is-this-correct.md"], re.M)
    documented = {name for row in rows for name in re.findall(r"\w+", row)}
    assert set(form["properties"]) <= documented


@pytest.mark.parametrize("level", ["jacobian", "loss", "network"])
def test_every_key_of_the_evidence_is_documented(level: str) -> None:
    problem = probe(level, 0)
    right = right_answers(read_given(problem.given))

    doubled, squared, cut = (
        check(problem, {name: change(right[name]) for name in problem.wanted}).evidence
        for change in (lambda a: 2 * a, np.square, lambda a: a.round(1))  # the last is undecidable
    )

    certain = check({"logits": [[40.0, 0.0]], "labels": [0]}, {"delta3": [[0.0, 4e-18]]}).evidence

    section = PAGES["docs/http-api.md"].partition("\n### Evidence\n")[2].partition("\n### ")[0]
    found = set(doubled) | set(squared) | set(cut) | set(certain)
    assert {"localisation", "scale", "invariants", "decidable_with", "decidable_at"} <= found
    assert [key for key in found if f"\n| `{key}` |" not in section] == []


@pytest.mark.parametrize("name", CODES)
def test_every_exit_code_is_documented(name: str) -> None:
    assert f"\n| {CODES[name]} |" in PAGES["docs/cli.md"]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_option_is_documented_where_its_command_is(command: str) -> None:
    options = options_of(*command.split())

    heading = f"## softlens {command}" if command else "## For every command"
    section = PAGES["docs/cli.md"].partition(f"\n{heading}\n")[2].partition("\n## ")[0]
    assert [option for option in options if f"`{option}" not in section] == []


def options_of(*command: str) -> set[str]:
    """The options that --help shows; --help itself is that of every command."""
    done = subprocess.run(
        [sys.executable, "-c", "from app.cli import main; main()", *command, "--help"],
        capture_output=True, text=True, check=True, env=environment(), timeout=DEADLINE,
    )  # fmt: skip
    listed = re.findall(r"^  (?:-h, )?(--[a-z-]+)", done.stdout, flags=re.MULTILINE)
    return set(listed) - ({"--help"} if command else set())


@pytest.mark.parametrize(
    ("printed", "page"),
    [
        ('{"a":[0.1234,2.0]}\n', '{"a":[0.1235,\n     2.0]}'),
        ("x 17, y 3.1e-05 z", "x 17, ... z"),
        ("on http://127.0.0.1:8000", "on http://127.0.0.1:8000"),
        ("0.97219 more\nand more", "0.97..."),
        ("", ""),
    ],
)
def test_output_that_agrees(printed: str, page: str) -> None:
    assert agrees(printed, page)


@pytest.mark.parametrize(
    ("printed", "page"),
    [
        ("0.5", "0.6"),
        ("17 rows", "18 rows"),
        ("a failure", ""),
        ("", "a result"),
        ("127.0.0.1", "127.0.0.2"),
        ("first\nsecond", "first"),
        ("0.1.0", "0.1.1"),
    ],
)
def test_output_that_does_not_agree(printed: str, page: str) -> None:
    assert not agrees(printed, page)


def test_a_console_block_is_split_into_commands() -> None:
    found = commands_of("$ one \\\n  two\nanswer\nmore\n$ three\n$ echo '4\n5'\n4\n5\n")

    assert found == [
        ("one \\\n  two", "answer\nmore"),
        ("three", ""),
        ("echo '4\n5'", "4\n5"),
    ]
