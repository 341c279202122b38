"""`python -m tests.soak [--write] [NAME ...]`: the long forms, with a table of what was counted.

`--list` names them, `--write` puts each row into docs/reliability.md as soon as it is there. Each
runs against a small model; nothing else should run on the machine.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import takewhile
from pathlib import Path

import numpy as np

from model import save_artifact
from tests.model.artifacts import make_artifact
from tests.serving import ROOT
from tests.soak import pressure, scenarios
from tests.soak.scenarios import Outcome

LONG: dict[str, Callable[[Path], Outcome]] = {
    "reloads": partial(scenarios.reloads, times=100, requests=200_000),
    "terminations": partial(scenarios.terminations, times=100),
    "terminations-workers": partial(scenarios.terminations, times=20, workers=2),
    "kills": partial(scenarios.kills, times=50),
    "hangs": partial(scenarios.hangs, times=10),
    "orphans": partial(scenarios.orphans, times=10),
    "growth": partial(pressure.growth, requests=1_000_000, warm=50_000),
    "slow": partial(pressure.slow, count=1000, rate=200, times_slower=1.2),
    "overload": lambda model: pressure.overload(model.parent, seconds=60),
}
PAGE = ROOT / "docs" / "reliability.md"
HEADING = "| scenario | counted | promises | took, at commit |\n|---|---|---|---|\n"
# Promises in seconds, which only a machine with nothing else to do can be held to.
WITHIN = {
    "terminations": 3.0, "terminations-workers": 3.0, "kills": 2.0, "hangs": 7.0,
}  # fmt: skip


def main(arguments: list[str]) -> int:
    if arguments == ["--list"]:
        print("\n".join(LONG))
        return 0
    writing = "--write" in arguments
    names = [name for name in arguments if name != "--write"] or list(LONG)
    if unknown := [name for name in names if name not in LONG]:
        print(f"no scenario {', '.join(unknown)}; --list names them", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="softlens-soak-") as folder:
        model = Path(folder) / "fixture.npz"
        save_artifact(model, make_artifact(np.random.default_rng(7), mean=0.5, temperature=1.3))
        return max([run(name, model, writing=writing) for name in names])


def run(name: str, model: Path, *, writing: bool) -> int:
    """One scenario; returns 1 if a promise was broken."""
    began = time.monotonic()
    figures, broken = LONG[name](model)
    if name in WITHIN and figures["longest_seconds"] > WITHIN[name]:
        broken = [*broken, f"longer than {WITHIN[name]:g} s"]
    cells = ", ".join(f"{value:g} {key.replace('_', ' ')}" for key, value in figures.items())
    seconds = time.monotonic() - began
    row = f"| `{name}` | {cells} | {'; '.join(broken) or 'kept'} | {seconds:.0f} s, {commit()} |"
    print(row, flush=True)
    if writing:
        PAGE.write_text(with_row(PAGE.read_text(encoding="utf-8"), row), encoding="utf-8")
    return 1 if broken else 0


def with_row(page: str, row: str) -> str:
    """The page with this row in the table of long forms, in the place of one that is older."""
    before, heading, rest = page.partition(HEADING)
    assert heading, "the page has no table for it"
    rows = [*takewhile(lambda line: line.startswith("|"), rest.splitlines(keepends=True))]
    after, name = rest[len("".join(rows)) :], row.split("|")[1]
    kept = [line for line in rows if not line.startswith(f"|{name}|")]
    return before + heading + "".join(sorted([*kept, f"{row}\n"])) + after


def commit() -> str:
    """The commit that is tried; with a plus if there is more in the folder."""
    asked = ("git", "describe", "--always", "--dirty=+", "--exclude=*")
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "no commit"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
