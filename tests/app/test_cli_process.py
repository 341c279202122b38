"""The `softlens` process itself: signals, closed streams, and readers that leave."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import DEADLINE, environment


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A line of bash in which `softlens` is the command."""
    define = f"softlens() {{ {sys.executable} -c 'from app.cli import main; main()' \"$@\"; }}; "
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", define + line],
        capture_output=True, text=True, check=False, timeout=DEADLINE, env=environment(), cwd=cwd,
    )  # fmt: skip


# A Ctrl-C that arrives just when a module is being looked for.
INTERRUPTING = """
import os, signal, sys
wanted = sys.argv[1]
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == wanted:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from app.cli import main
sys.argv = ["softlens", "train", "--output", "m.npz"]
main()
"""


@pytest.mark.parametrize(
    "module", ["app.command_line", "typer", "app.commands.train", "numpy", "numpy.linalg", "model"]
)
def test_ctrl_c_while_modules_are_imported_is_quiet(module: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTING, module],
        capture_output=True, text=True, check=False, timeout=DEADLINE, env=environment(),
        cwd=tmp_path,
    )  # fmt: skip

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full"])
def test_talk_that_nobody_hears_loses_no_training(stderr: str, tmp_path: Path) -> None:
    done = shell(f"softlens train --output m.npz --epochs 2 {stderr}", tmp_path)

    assert done.returncode == 0
    assert "sha256" in done.stdout
    assert shell("softlens inspect m.npz", tmp_path).returncode == 0


@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full"])
def test_a_failure_that_nobody_hears_keeps_its_exit_code(stderr: str, tmp_path: Path) -> None:
    assert shell(f"softlens inspect absent.npz {stderr}", tmp_path).returncode == 66
