"""`python -m tests.verdicts`: every mistake of the catalogue made by somebody else, and named.

With --write the tables replace those of docs/verdicts.md. The exit status is 1 if a bar is missed.
"""

import argparse
import os
import time

from tests.benchmarks.machine import circumstances
from tests.benchmarks.markdown import write
from tests.serving import ROOT
from tests.verdicts.bars import requirements
from tests.verdicts.page import misses, sections
from tests.verdicts.running import Size, run

DOCUMENT = ROOT / "docs" / "verdicts.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.verdicts")
    parser.add_argument("--probes", type=int, default=200, help="for each mistake at each level")
    parser.add_argument("--right", type=int, default=10_000, help="right answers")
    parser.add_argument("--pairs", type=int, default=200, help="probes for two mistakes at once")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", action="store_true", help="put the results into the docs")
    options = parser.parse_args()

    where, started = circumstances("numpy"), time.perf_counter()  # of the code as it is now
    ran = run(Size(options.probes, options.right, options.pairs), options.processes)
    minutes = (time.perf_counter() - started) / 60
    for name, text in sections(ran, where, minutes).items():
        print(f"## {name}\n\n{text}\n", flush=True)
        if options.write:
            write(DOCUMENT, name, text)
    for line in misses(ran):
        print(line)
    raise SystemExit(0 if all(need.met for need in requirements(ran)) else 1)


if __name__ == "__main__":
    main()
