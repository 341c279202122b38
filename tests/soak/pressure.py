"""More than can be answered, more than ever before, and slowly. Numbers are parameters."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from model import save_artifact
from tests.model.artifacts import make_artifact
from tests.serving import DEADLINE, ROOT, Server, environment, serving
from tests.soak.herd import Herd
from tests.soak.load import BODY, load
from tests.soak.mixed import MIXED
from tests.soak.scenarios import CLIENTS, Outcome

SHAPE = (784, 1024, 10)  # half a millisecond for each row, and little to read
_GROWTH = 5 * 2**20  # bytes


def overload(folder: Path, seconds: float, backlog: int = 2) -> Outcome:
    """Twice what can be answered; against four fifths of it, on the same server."""
    model = folder / "large.npz"
    rng = np.random.default_rng(5)
    save_artifact(model, make_artifact(rng, shape=SHAPE))
    body = json.dumps({"inputs": rng.integers(0, 10, SHAPE[0]).tolist()}).encode()

    with serving(model, max_backlog=backlog, keep_alive_seconds=60) as server:
        _apart(server)
        capacity = _offered(server, body, 0, seconds / 4)["per_second"]
        calm = _offered(server, body, 0.8 * capacity, seconds)
        pressed = _offered(server, body, 2 * capacity, seconds)
        after = _offered(server, body, 0.8 * capacity, seconds / 4)
        with server.client() as client:
            healthy = client.get("/livez").status_code == 200

    broken = [] if healthy else ["not well afterwards"]
    broken += [f"{found['failed']} failed" for found in (calm, pressed) if found["failed"]]
    if not pressed["refused"]:
        broken.append("nothing was refused")
    figures = {
        "capacity_per_second": capacity,
        "goodput": pressed["per_second"] / capacity,
        "p99_ms_at_four_fifths": 1000 * calm["p99"],
        "p99_ms_admitted": 1000 * pressed["p99"],
        "p99_ms_refused": 1000 * pressed["refused_p99"],
        "p99_ms_afterwards": 1000 * after["p99"],
    }
    return Outcome(figures, broken)


def slow(
    model: Path,
    count: int,
    rate: float,
    times_slower: float = float("inf"),
    program: str = "",
    **settings: float,
) -> Outcome:
    """So many slow clients at once, beside others that ask at this rate a second.

    Args:
        model: small.
        count: of slow clients.
        rate: requests a second, of the others.
        times_slower: that the 99th of a hundred of these may become.
        program: another server.
        settings: other deadlines than the usual ones.
    """
    head, whole = settings.get("header_seconds", 10.0), settings.get("request_seconds", 30.0)
    with serving(model, program, **settings) as server:
        _apart(server)
        calm = _offered(server, BODY, rate, whole)
        herd = Herd(server.url, count, whole + 10)
        herd.start()
        beside = _offered(server, BODY, rate, whole)
        herd.join()

    ratio = beside["p99"] / calm["p99"]
    broken = [
        f"{kind} for {seconds:.1f} s"
        for kind, seconds in herd.lasted.items()
        if seconds > (whole if kind == "trickled_body" else head) + 1
    ]
    for what in ("failed", "refused"):
        if calm[what] or beside[what]:
            broken.append(f"{calm[what] + beside[what]:g} {what}")
    broken += [f"{ratio:.2f} times as slow"] if ratio > times_slower else []
    figures = {f"{kind}_seconds": seconds for kind, seconds in herd.lasted.items()}
    figures |= {"p99_ms": 1000 * calm["p99"], "p99_ms_beside": 1000 * beside["p99"]}
    return Outcome({"clients": count} | figures, broken)


def growth(model: Path, requests: int, warm: int, program: str = "") -> Outcome:
    """Resident memory after so many mixed requests, against after the warm-up."""
    with serving(model, program) as server, load(server.url, CLIENTS, MIXED) as asked:
        while asked.answered < warm:
            asked.wait_for_more(min(1000, warm))
        before = server.resident()
        while asked.answered < warm + requests:
            asked.wait_for_more(min(1000, requests))
        grown = server.resident() - before
        answered = asked.answered
    broken = [f"{len(asked.lost)} lost: {asked.losses()}"] if asked.lost else []
    if grown > _GROWTH:
        broken.append("more than 5 MiB")
    return Outcome({"requests": answered, "grown_KiB": grown / 1024}, broken)


def _offered(server: Server, body: bytes, rate: float, seconds: float) -> dict[str, float]:
    port = str(urlsplit(server.url).port)
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak.offered", port, str(rate), str(seconds)],
        input=body, capture_output=True, check=True, cwd=ROOT, env=environment(),
        timeout=seconds + 2 * DEADLINE,
    )  # fmt: skip
    return dict(json.loads(done.stdout))


def _apart(server: Server) -> None:
    """The server on one processor; tests.soak.offered takes the others."""
    with suppress(AttributeError, OSError):
        os.sched_setaffinity(server.process.pid, {min(os.sched_getaffinity(0))})
