"""`python -m tests.benchmarks.environments [NAME ...]`: make the environments of the peers.

They lie in the folder that PEERS_HOME names, outside the tree, one for each peer, because no two of
them want the same versions. An environment that is there stays as it is. What cannot be installed
leaves the reason, which the tables then repeat.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.serving import ROOT

SECONDS = 900  # for one installation
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:")
LOCK = ROOT / "requirements" / "benchmark.lock"
LOCKED = ("--require-hashes", "--no-deps", "--requirement", str(LOCK))

# All that is locked for the benchmarks, and what differentiates, trains and parses beside it: each
# alone, so that one that cannot be installed does not take the others with it. Captum comes without
# its dependencies, so that it brings no second torch.
OURS = "softlens"
BESIDE_OURS = {
    "torch": ("torch==2.13.0",),
    "jax": ("jax==0.10.2",),
    "captum": ("--no-deps", "captum==0.9.0"),
    "tqdm": ("tqdm==4.70.1",),  # which Captum needs, as it does matplotlib, which is locked
    "msgspec": ("msgspec==0.22.0",),
}

# A server each. Where a version is not given, any will do that the peer can work with.
SERVERS = {
    "onnxruntime": (
        "onnxruntime==1.32.0", "onnx==1.23.2", "fastapi==0.165.0", "uvicorn==0.54.0",
        "uvloop==0.23.0", "httptools==0.9.0", "orjson==3.13.0", "numpy==2.4.6",
    ),
    "mosec": ("mosec==0.9.8", "orjson==3.13.0", "numpy==2.4.6"),
    "litserve": ("litserve==0.2.19", "numpy==2.4.6"),
    # It still needs an event loop that newer ones no longer make by themselves.
    "mlserver": ("mlserver==1.7.1", "uvloop==0.21.0", "numpy==2.4.6"),
    "kserve": ("kserve==0.21.0", "numpy==2.4.6"),
    "bentoml": ("bentoml==1.4.39", "numpy==2.4.6"),
}  # fmt: skip


def home() -> Path | None:
    """Where the environments are; None where no peers are asked for."""
    named = os.environ.get("PEERS_HOME")
    return Path(named) if named else None


def python(name: str) -> str:
    """The interpreter of a server's environment.

    Raises:
        LookupError: there is none; the message says why.
    """
    folder = home()
    if folder is None:
        raise LookupError("not asked for; `make benchmark PEERS=1`")
    if (failed := folder / f"{name}.failed").exists():
        raise LookupError(f"not installed: {failed.read_text()}")
    interpreter = folder / name / "bin" / "python"
    if not interpreter.exists():
        raise LookupError("not installed")
    return str(interpreter)


def versions() -> str:
    """What the servers' environments hold of what was asked for by name."""
    return ", ".join(
        f"{name} {_version(name, wanted[0].partition('==')[0])}" for name, wanted in SERVERS.items()
    )


def _version(name: str, package: str) -> str:
    program = f"from importlib.metadata import version; print(version({package!r}))"
    try:
        return subprocess.check_output([python(name), "-c", program], text=True).strip()
    except LookupError as error:
        return str(error)


def make(name: str, folder: Path) -> None:
    """Make one environment, or leave the reason why there is none."""
    if name == OURS:
        _install(folder / OURS, LOCKED, folder / f"{OURS}.failed")
        if (failed := folder / f"{OURS}.failed").exists():
            raise SystemExit(f"{LOCK}: {failed.read_text()}")
        for package, wanted in BESIDE_OURS.items():
            _install(folder / OURS, wanted, folder / f"{package}.failed")
    else:
        _install(folder / name, SERVERS[name], folder / f"{name}.failed")


def _install(environment: Path, wanted: Sequence[str], failed: Path) -> None:
    """Install something once: a file beside the environment tells what it holds."""
    interpreter, told = environment / "bin" / "python", failed.with_suffix(".made")
    holds = LOCK.read_text() if wanted is LOCKED else " ".join(wanted)
    if told.exists() and told.read_text() == holds:
        return
    print(f"installing {failed.stem} into {environment}", flush=True)
    failed.unlink(missing_ok=True)
    try:
        if not interpreter.exists():
            _run(sys.executable, "-m", "venv", str(environment))
        _run(str(interpreter), *PIP, *wanted)
    except subprocess.SubprocessError as error:
        failed.write_text(_reason(error))
        print(f"NOT INSTALLED: {failed.stem}: {_reason(error)}", flush=True)
    else:
        told.write_text(holds)


def _run(*command: str) -> None:
    subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)


def _reason(error: subprocess.SubprocessError) -> str:
    """pip's last word on it, in one line."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"took longer than {SECONDS} s"
    lines = [line for line in str(getattr(error, "stderr", "")).splitlines() if "ERROR" in line]
    return lines[-1].removeprefix("ERROR: ")[:200] if lines else str(error)[:200]


def main() -> None:
    folder = home()
    if folder is None:
        raise SystemExit("expected PEERS_HOME, a folder for the environments")
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or (OURS, *SERVERS):
        make(name, folder)


if __name__ == "__main__":
    main()
