"""`python -m tests.soak [NAME ...]`: the long forms, with a table of what was counted.

`--list` names them. Each runs against a small model; nothing else should run on the machine.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from model import save_artifact
from tests.model.artifacts import make_artifact
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
    "overload": lambda model: pressure.overload(model.parent, seconds=60),
}
# Promises in seconds, which only a machine with nothing else to do can be held to.
WITHIN = {
    "terminations": 3.0, "terminations-workers": 3.0, "kills": 2.0, "hangs": 7.0,
}  # fmt: skip


def main(arguments: list[str]) -> int:
    if arguments == ["--list"]:
        print("\n".join(LONG))
        return 0
    names = arguments or list(LONG)
    if unknown := [name for name in names if name not in LONG]:
        print(f"no scenario {', '.join(unknown)}; --list names them", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="softlens-soak-") as folder:
        model = Path(folder) / "fixture.npz"
        save_artifact(model, make_artifact(np.random.default_rng(7), mean=0.5, temperature=1.3))
        return max(run(name, model) for name in names)


def run(name: str, model: Path) -> int:
    """One scenario; returns 1 if a promise was broken."""
    began = time.monotonic()
    figures, broken = LONG[name](model)
    if name in WITHIN and figures["longest_seconds"] > WITHIN[name]:
        broken = [*broken, f"longer than {WITHIN[name]:g} s"]
    cells = ", ".join(f"{value:g} {key.replace('_', ' ')}" for key, value in figures.items())
    print(
        f"| {name} | {cells} | {'; '.join(broken) or 'kept'} | {time.monotonic() - began:.0f} s |"
    )
    sys.stdout.flush()
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
