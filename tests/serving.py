"""A real server process on a real socket, for as long as a test needs it."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

ROOT = Path(__file__).parents[1]
DEADLINE = 60.0  # seconds; generous, because machines are shared


class Server(NamedTuple):
    """Where it listens and who it is."""

    url: str
    process: subprocess.Popen[str]
    stderr: list[str]  # lines, growing

    def client(self) -> httpx.Client:
        """A client that never waits for ever; loopback needs no proxy, and no certificates."""
        return httpx.Client(
            base_url=self.url,
            timeout=DEADLINE,
            trust_env=False,
            verify=False,  # noqa: S501  loading those takes longer than most tests
        )

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.terminate()
        return self.process.wait(timeout=DEADLINE)

    def resident(self) -> int:
        """Bytes of memory that the process has in use."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            pytest.skip("needs /proc to see the memory")
        return int(status.read_text().partition("VmRSS:")[2].split()[0]) * 1024

    def descriptors(self) -> int:
        """How many files and sockets the process has open; 0 where that cannot be seen."""
        folder = Path(f"/proc/{self.process.pid}/fd")
        return sum(1 for _ in folder.iterdir()) if folder.exists() else 0


def environment(**settings: object) -> dict[str, str]:
    """This process's environment with other settings, and the project on the path."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SOFTLENS_")}
    return {
        **clean,
        "PYTHONPATH": str(ROOT),
        "OPENBLAS_NUM_THREADS": "1",
        # As on a terminal, and quiet: what is logged of requests has tests of its own.
        "SOFTLENS_LOG_FORMAT": "text",
        "SOFTLENS_REQUEST_LOG": "off",
        **{f"SOFTLENS_{key.upper()}": str(value) for key, value in settings.items()},
    }


@contextmanager
def serving(
    models: Path | None, program: str = "", **settings: object
) -> Generator[Server, None, None]:
    """Serve `models` on a free port until the block ends; by another program if one is given."""
    process = subprocess.Popen(
        [sys.executable, *(["-c", program] if program else ["-m", "app.server"])],
        env=environment(**{"models": models or "", "port": 0} | settings),
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: list[str] = []
    ready = threading.Event()
    reader = threading.Thread(target=_collect, args=(process, lines, ready), daemon=True)
    reader.start()
    try:
        assert ready.wait(DEADLINE), "".join(lines)
        found = re.search(r"http://[^\s\"]+", "".join(lines))
        assert found, "".join(lines)
        yield Server(found.group(), process, lines)
    finally:
        process.kill()
        process.wait(timeout=DEADLINE)
        reader.join(DEADLINE)
        assert process.stderr is not None
        process.stderr.close()


def _collect(process: subprocess.Popen[str], lines: list[str], ready: threading.Event) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line)
        if "http://" in line:
            ready.set()
    ready.set()
