"""Where something was measured, and what exactly."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from tests.serving import ROOT

_GIB = 2**30


def circumstances(*packages: str) -> str:
    """One line: the commit, the machine, and the versions of what took part."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    return (
        f"Commit {_commit()}. {_processor()}, {os.cpu_count()} cores, {memory:.1f} GiB; "
        f"{platform.system()} {platform.machine()}. {python}, {versions}."
    )


def load() -> float:
    """Processes that wanted a core, averaged over the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _commit() -> str:
    """The commit of the code that was measured, and whether the code still was that commit's."""
    commit = _git("rev-parse", "--short", "HEAD")
    if not commit:
        return "unknown"
    return f"{commit} with changes" if _git("status", "--porcelain", "app", "model") else commit


def _git(*arguments: str) -> str:
    command = ["git", "--no-optional-locks", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    ).stdout.strip()
