"""The `softlens` process itself: signals, closed streams, and readers that leave."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model import save_artifact
from tests.model.artifacts import make_artifact
from tests.serving import DEADLINE, environment, serving


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A line of bash in which `softlens` is the command."""
    define = f"softlens() {{ {sys.executable} -c 'from app.cli import main; main()' \"$@\"; }}; "
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", define + line],
        capture_output=True, text=True, check=False, timeout=DEADLINE, env=environment(), cwd=cwd,
    )  # fmt: skip


def softlens(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from app.cli import main; main()", *arguments],
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


@pytest.mark.parametrize(
    "command",
    ["inspect m.npz", "inspect m.npz --json", "evaluate m.npz t.csv", "evaluate m.npz t.csv --json",
     "gradient m.npz t.csv --json", "train t.csv --output again.npz --epochs 1"],
)  # fmt: skip
def test_a_reader_that_leaves_at_once_is_no_failure(command: str, tmp_path: Path) -> None:
    save_artifact(
        tmp_path / "m.npz", make_artifact(np.random.default_rng(1), features=list("abcd"))
    )
    (tmp_path / "t.csv").write_text("a,b,c,d,kind\n" + "1,2,3,4,0\n5,6,7,8,1\n" * 5)

    done = shell(f"{{ softlens {command}; echo $? >code; }} | true", tmp_path)

    assert (tmp_path / "code").read_text() == "0\n", done.stderr


NASTY = "\x1b[2Jred\u202e\n"


def test_nothing_that_a_terminal_obeys_is_printed(tmp_path: Path) -> None:
    artifact = make_artifact(
        np.random.default_rng(1), name=NASTY, features=["a", "b", "c", NASTY],
        data={"source": NASTY}, metrics={NASTY: {NASTY: 1.0}}, classes=[NASTY, "1", "2", "3", "4"],
    )  # fmt: skip
    name = NASTY.replace("\n", "") + ".npz"
    save_artifact(tmp_path / name, artifact)
    (tmp_path / "bad.npz").write_bytes(b"no")
    (tmp_path / "bad.npz").rename(tmp_path / f"bad {name}")

    for arguments in (
        ["inspect", "m.npz", name],
        ["inspect", name],
        ["inspect", f"bad {name}"],
        ["inspect", f"no {name}"],
    ):
        done = softlens(*arguments, cwd=tmp_path)
        printed = done.stdout + done.stderr
        assert r"\x1b[2Jred" in printed
        assert "\x1b" not in printed
        assert "\u202e" not in printed


def test_a_log_line_is_one_line_that_a_terminal_does_not_obey(tmp_path: Path) -> None:
    save_artifact(tmp_path / "good.npz", make_artifact(np.random.default_rng(1)))
    (tmp_path / f"{NASTY}.npz").write_bytes(b"")

    with serving(tmp_path) as server:
        server.stop()

    assert "\x1b" not in "".join(server.stderr)
    assert [line.split()[0] for line in server.stderr] == ["WARNING", "INFO", "INFO"]


@pytest.mark.parametrize(
    "command",
    ["inspect PIPE.npz", "predict /dev/zero t.csv", "train PIPE.csv --output m.npz",
     "train PIPE.npz --output m.npz", "train PIPE,PIPE --output m.npz",
     "train LOOP.csv --output m.npz",
     f"train {'n' * 300}.csv --output m.npz", "train t.csv/t.csv --output m.npz"],
)  # fmt: skip
def test_what_is_no_file_is_refused_without_waiting(command: str, tmp_path: Path) -> None:
    for name in ("PIPE", "PIPE.csv", "PIPE.npz"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "LOOP.csv").symlink_to("LOOP.csv")
    (tmp_path / "t.csv").touch()

    done = softlens(*command.split(), cwd=tmp_path)

    assert done.returncode == 66, done.stderr
    assert done.stderr.startswith("softlens: ")
    assert done.stderr.count("\n") == 1


def test_columns_of_no_use_are_named_before_training(tmp_path: Path) -> None:
    rows = "".join(f"{i},5,7,0,{i % 2}\n" for i in range(20))
    (tmp_path / "t.csv").write_text("a,year,b,c,kind\n" + rows)

    done = softlens("train", "t.csv", "--output", "m.npz", "--epochs", "2", cwd=tmp_path)

    assert done.returncode == 0
    assert done.stderr.splitlines()[0] == (
        "softlens: t.csv: the same in every row, so of no use: columns 'year', 'b', 'c'"
    )


def test_a_score_that_is_not_known_is_said_so(tmp_path: Path) -> None:
    artifact = make_artifact(np.random.default_rng(1), metrics={"test": {"rows": 3, "ece": None}})
    save_artifact(tmp_path / "m.npz", artifact)

    done = softlens("inspect", "m.npz", cwd=tmp_path)

    assert "test         rows 3, ece unknown\n" in done.stdout
