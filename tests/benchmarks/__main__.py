"""`python -m tests.benchmarks [NAME ...]`: measure on this machine and print Markdown.

A benchmark is a module of this package with `run(quick) -> str`. With --write its text replaces
what stands between its two comments in docs/benchmarks.md.
"""

import argparse
import importlib
import os
import time

from tests.benchmarks.machine import load
from tests.benchmarks.markdown import write
from tests.serving import ROOT

NAMES = (
    "codec",
    "gradients",
    "checks",
    "start",
    "requests",
    "binary",
    "training",
    "accuracy",
)  # the long ones last
DOCUMENT = ROOT / "docs" / "benchmarks.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; or all")
    parser.add_argument("--quick", action="store_true", help="few repetitions, to try it out")
    parser.add_argument("--write", action="store_true", help="put the results into the docs")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"expected names out of {', '.join(NAMES)}, got {', '.join(sorted(unknown))}")

    # Inherited by every process measured here: none of them may compile its modules anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in options.names or NAMES:
        text = measured(name, quick=options.quick)
        print(f"## {name}\n\n{text}\n", flush=True)
        if options.write:
            write(DOCUMENT, name, text)


def measured(name: str, *, quick: bool) -> str:
    """What a benchmark reports, and how busy the machine was meanwhile."""
    before, started = load(), time.perf_counter()
    text = importlib.import_module(f"tests.benchmarks.{name}").run(quick)
    minutes = (time.perf_counter() - started) / 60
    return f"{text}\n\nTook {minutes:.1f} minutes; load {before:.1f} before, {load():.1f} after."


if __name__ == "__main__":
    main()
