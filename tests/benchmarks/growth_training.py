"""How training grows with the rows, up to a file that need not fit in memory.

Each size is a process of its own, `python -m tests.benchmarks.growth_training FILE`, which reads
the file, trains a 28-32-2 network for two epochs, and tells what it took.
"""

import json
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib import format as npy

from model.data import is_mapped, read_dataset
from model.training import Plan, fit
from tests.benchmarks.machine import circumstances
from tests.benchmarks.markdown import Requirement, paragraphs, table, verdicts
from tests.serving import ROOT, environment

FEATURES, AT_ONCE = 28, 10_000
DEADLINE = 900.0  # seconds for one process
SIZES = (10**3, 10**4, 10**5, 10**6, 10**7)
MOST_MIB = 200.0  # resident, whatever the size


class Growth(NamedTuple):
    """What training on so many rows took."""

    rows: int
    file_mib: float
    mapped: bool  # whether the features stayed in the file
    seconds: float  # of the second epoch, with its validation
    resident_mib: float  # at the most


class Size(NamedTuple):
    """One point of a plot."""

    rows: int
    seconds: float  # of an epoch
    mib: float  # resident


def run(quick: bool) -> str:
    found = _grown(quick)
    most = max(growth.resident_mib for growth in found)
    need = Requirement(
        "resident memory, at any size", f"at most {MOST_MIB:.0f} MiB", f"{most:.0f} MiB",
        most <= MOST_MIB,
    )  # fmt: skip
    rows = [
        (
            f"{growth.rows:,}",
            f"{growth.file_mib:,.1f}",
            "mapped" if growth.mapped else "read",
            f"{growth.seconds:.3f}",
            f"{1e6 * growth.seconds / growth.rows:.2f}",
            f"{growth.resident_mib:.0f}",
        )
        for growth in found
    ]
    header = ("rows", "file, MiB", "", "epoch, s", "us a row", "resident at the most, MiB")
    return paragraphs(
        circumstances("numpy"),
        f"{FEATURES} float32 features in an uncompressed `.npz`, a network {FEATURES}-32-2, "
        "batches of 1,024, a tenth held out, one thread, one process for each size.",
        table(header, rows),
        verdicts([need]),
    )


def measured(quick: bool) -> list[Size]:
    """What is drawn of them: from the fewest rows to the most."""
    return [Size(growth.rows, growth.seconds, growth.resident_mib) for growth in _grown(quick)]


def _grown(quick: bool) -> list[Growth]:
    with tempfile.TemporaryDirectory() as folder:
        return [trained(Path(folder) / "rows.npz", rows) for rows in SIZES[: 3 if quick else None]]


def trained(path: Path, rows: int) -> Growth:
    """Make a file of so many rows, and train on it in a process of its own."""
    make(path, rows)
    answer = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.growth_training", str(path)],
        cwd=ROOT, env=environment() | {"OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE, timeout=DEADLINE, check=True,
    ).stdout  # fmt: skip
    found = json.loads(answer)
    return Growth(rows, path.stat().st_size / 2**20, **found)


def make(path: Path, rows: int) -> None:
    """An archive of X and y, written a part at a time."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, shape, dtype in (("X", (rows, FEATURES), "<f4"), ("y", (rows,), "<i8")):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                head = {"descr": dtype, "fortran_order": False, "shape": shape}
                npy.write_array_header_1_0(member, head)
                for start in range(0, rows, AT_ONCE):
                    x = _features(start, min(AT_ONCE, rows - start))
                    part = x if name == "X" else (x[:, 0] * x[:, 1] > 0).astype(np.int64)
                    member.write(part.tobytes())


def _features(start: int, number: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(start).standard_normal((number, FEATURES), dtype=np.float32)


def _main(path: str) -> None:
    dataset = read_dataset(path)
    began: list[float] = []
    plan = Plan(hidden=32, batch_size=1024, epochs=2)
    fit(dataset, plan, "growth", report=lambda epoch, best: began.append(time.perf_counter()))
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    print(
        json.dumps(
            {
                "mapped": is_mapped(dataset.inputs),
                "seconds": began[1] - began[0],
                "resident_mib": int(peak.split()[1]) / 1024,
            }
        )
    )


if __name__ == "__main__":
    _main(sys.argv[1])
