"""`python -m tests.benchmarks [NAME ...]`: measure on this machine and print Markdown.

A benchmark is a module of this package with `run(quick)`, which returns its text, or a Report where
pictures go with it. With --write they replace what stands between its two comments in
docs/benchmarks.md, and the files in docs/images.
"""

import argparse
import importlib
import os
import time

from tests.benchmarks.machine import load
from tests.benchmarks.markdown import Report, write
from tests.serving import ROOT

NAMES = (
    "codec",
    "gradients",
    "checks",
    "start",
    "serving",
    "growth",
    "training",
    "accuracy",
)  # the long ones last
DOCUMENT, IMAGES = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "images"


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
        report = measured(name, quick=options.quick)
        print(f"## {name}\n\n{report.text}\n", flush=True)
        if options.write:
            write(DOCUMENT, name, report.text)
            IMAGES.mkdir(exist_ok=True)
            for file, picture in report.pictures.items():
                (IMAGES / file).write_text(picture)


def measured(name: str, *, quick: bool) -> Report:
    """What a benchmark reports, and how busy the machine was meanwhile."""
    before, started = load(), time.perf_counter()
    found: str | Report = importlib.import_module(f"tests.benchmarks.{name}").run(quick)
    minutes = (time.perf_counter() - started) / 60
    text, pictures = (found, {}) if isinstance(found, str) else found
    took = f"Took {minutes:.1f} minutes; load {before:.1f} before, {load():.1f} after."
    quickly = " Few repetitions, to try it out: no figures to rely on." if quick else ""
    return Report(f"{text}\n\n{took}{quickly}", pictures)


if __name__ == "__main__":
    main()
