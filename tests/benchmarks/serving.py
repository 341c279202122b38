"""What a request over HTTP costs the server, beside the least that a server on uvicorn does."""

import tempfile
from pathlib import Path
from statistics import median

from tests.benchmarks import environments
from tests.benchmarks.contenders import (
    BARE,
    BINARY,
    FASTAPI,
    FORWARD,
    HELLO,
    LIMIT,
    LOGGED,
    OURS,
    RAW,
    SOFTLENS,
    VARIANTS,
)
from tests.benchmarks.machine import circumstances
from tests.benchmarks.markdown import Requirement, paragraphs, table, verdicts
from tests.benchmarks.rivals import BINARY_PEERS, PEERS
from tests.benchmarks.timing import ratio
from tests.benchmarks.turns import Race, Rules, race, race_table
from tests.benchmarks.workloads import BATCH, Workload, large, small

CONNECTIONS, OTHER_CONNECTIONS = 16, (1, 64)
MOST = {"W1": 2.1, "W2": 3.0, "W3": 3.8}  # times the CPU time of hello
LEAST_SHARE = 0.85  # of the throughput of the forward pass alone
MOST_FOR_GUARDS = 1.15  # times the CPU time without them
MOST_FOR_LOG = 12  # us of CPU


def run(quick: bool) -> str:
    repetitions = 2 if quick else 7
    with tempfile.TemporaryDirectory() as folder:
        net = small(Path(folder)), large(Path(folder))
        workloads = (
            Workload("W1", "one row of 64 features, JSON", net[0], 1),
            Workload("W2", "one row of 784 features, JSON", net[1], 1),
            Workload("W3", f"{BATCH} rows of 784 features, JSON", net[1], BATCH),
            Workload("W4", f"{BATCH} rows of 784 features, float32", net[1], BATCH),
        )
        in_json = [_race(asked, repetitions) for asked in workloads[:3]]
        rules = Rules(CONNECTIONS, repetitions, same_body=False)
        in_binary = race(workloads[3], FORWARD, (BINARY, *BINARY_PEERS), rules)
        latencies = {
            connections: race(
                workloads[0], LIMIT, (SOFTLENS, FASTAPI), Rules(connections, repetitions)
            )
            for connections in OTHER_CONNECTIONS
        }

    return paragraphs(
        circumstances("numpy", "uvicorn", "uvloop", "httptools", "fastapi", "pysimdjson", "orjson"),
        f"Peers: {environments.versions()}." if environments.home() else "Peers: not asked for.",
        f"One server process on one core, the client on another, {CONNECTIONS} connections kept "
        f"alive. Median (lowest to highest) of {repetitions} turns of {rules.seconds:.0f} s each; "
        "the limit for half of that before each of them. The networks are 64-32-10 and 784-128-10.",
        *(
            race_table(_title(asked, found), HELLO, found)
            for asked, found in zip(workloads, in_json, strict=False)
        ),
        race_table(_title(workloads[3], in_binary), RAW, in_binary),
        _latency_table(latencies),
        verdicts(_requirements(dict(zip(MOST, in_json, strict=True)), in_binary)),
    )


def _race(asked: Workload, repetitions: int) -> Race:
    variants = VARIANTS if asked.name == "W1" else ()
    return race(
        asked, LIMIT, (SOFTLENS, *variants, FASTAPI, *PEERS), Rules(CONNECTIONS, repetitions)
    )


def _title(asked: Workload, found: Race) -> str:
    return f"{asked.name}: {asked.title}, {found.sizes[OURS]:,} bytes"


def _latency_table(races: dict[int, Race]) -> str:
    """W1 at other numbers of connections."""
    rows = []
    for connections, found in races.items():
        for name, turns in found.turns.items():
            own = [turn.own for turn in turns]
            p50, p99 = (median(one[place] for one in own) for place in (2, 3))
            rate = median(one.rate for one in own)
            cells = (f"{rate:,.0f}", f"{found.share(name):.2f}", f"{1e3 * p50:.2f}")
            rows.append((f"{name}, {connections}", *cells, f"{1e3 * p99:.2f}"))
    header = ("W1: server, connections", "requests a second", "/ hello", "p50 ms", "p99 ms")
    return table(header, rows)


def _requirements(found: dict[str, Race], binary: Race) -> list[Requirement]:
    needs = []
    for name, most in MOST.items():
        times = found[name].times_limit(OURS)
        what = f"{name}, CPU of a request, ours / hello"
        needs.append(Requirement(what, f"at most {most}", f"{times:.2f}", times <= most))
    share = binary.share(OURS)
    what = "W4, throughput, ours / forward pass alone"
    needs.append(Requirement(what, f"at least {LEAST_SHARE}", f"{share:.2f}", share >= LEAST_SHARE))
    for name, one in {**found, "W4": binary}.items():
        needs += _ahead(name, one)
    return needs + _own(found["W1"])


def _ahead(name: str, found: Race) -> list[Requirement]:
    """Of the best of the others; nothing where nobody else is there."""
    best = found.best_of([peer.name for peer in (FASTAPI, *PEERS)])
    if best is None:
        return []
    against = ratio(found.cpu(best), found.cpu(OURS))
    what = f"{name}, CPU of a request, the best other ({best}) / ours"
    return [Requirement(what, "over 1", f"{against:.2f}", against > 1)]


def _own(found: Race) -> list[Requirement]:
    guards = ratio(found.cpu(OURS), found.cpu(BARE))
    log = 1e6 * median(
        logged - plain for logged, plain in zip(found.cpu(LOGGED), found.cpu(OURS), strict=True)
    )
    return [
        Requirement(
            "W1, CPU of a request, with guards / without",
            f"at most {MOST_FOR_GUARDS}",
            f"{guards:.2f}",
            guards <= MOST_FOR_GUARDS,
        ),
        Requirement(
            "W1, CPU of a line in the log", f"at most {MOST_FOR_LOG} us", f"{log:.1f} us",
            log <= MOST_FOR_LOG,
        ),
    ]  # fmt: skip
