"""`python -m tests.benchmarks.load PORT CONNECTIONS SECONDS`: send what stdin holds for a while.

A process of its own, so that it has a core of its own. Prints a line of JSON: requests, seconds,
and the median and 99th percentile of the latency in seconds.
"""

import json
import sys

import numpy as np

from app.commands.load import Bounds, Question, post


def main() -> None:
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    question = Question("127.0.0.1", port, sys.stdin.buffer.read())
    found = post(question, Bounds(connections, seconds, sys.maxsize))
    if found.refused or found.lost or not found.latencies:
        raise SystemExit(
            f"expected 200, got {dict(found.refused)}, and {found.lost} without answer"
        )
    middle, tail = np.percentile(found.latencies, (50, 99)).tolist()
    requests = len(found.latencies)
    print(json.dumps({"requests": requests, "seconds": found.seconds, "p50": middle, "p99": tail}))


if __name__ == "__main__":
    main()
