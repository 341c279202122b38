import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import Settings, explain, from_platform
from tests.serving import DEADLINE, environment


def start(program: str = "", **settings: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *(["-c", program] if program else ["-m", "app.server"])],
        env=environment(**settings), capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "abc"), ("port", "65536"), ("port", "-1"), ("max_rows", "0"),
        ("max_body_bytes", "1.5"), ("max_cells", "-1"), ("shutdown_seconds", "0"),
        ("shutdown_seconds", "inf"),
        ("max_result_numbers", "many"), ("reload_seconds", "-1"), ("reload_seconds", "nan"),
        ("reload_seconds", "inf"), ("model_policy", "newest"),
    ],
)  # fmt: skip
def test_a_bad_setting_stops_the_start_in_one_line(name: str, value: str) -> None:
    done = start(models="absent.npz", **{name: value})

    assert done.returncode == 78
    assert done.stderr.count("\n") == 1
    assert f"SOFTLENS_{name.upper()}: Input should be" in done.stderr


def test_every_bad_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTLENS_PORT", "x")
    monkeypatch.setenv("SOFTLENS_MAX_ROWS", "-3")

    with pytest.raises(ValidationError) as caught:
        Settings()

    line = explain(caught.value)
    assert "SOFTLENS_PORT: " in line
    assert "SOFTLENS_MAX_ROWS: " in line
    assert "-3" not in line


def test_a_misspelt_setting_is_pointed_at(tmp_path: Path) -> None:
    done = start(models=tmp_path / "absent.npz", max_row="10")

    assert "unknown setting SOFTLENS_MAX_ROW; did you mean SOFTLENS_MAX_ROWS?" in done.stderr


@pytest.mark.parametrize(("port", "told"), [("1", True), ("2", False), ("", False)])
def test_a_flag_that_wins_over_a_variable_is_told(port: str, told: bool, tmp_path: Path) -> None:
    program = "import sys; from app.server.run import serve; sys.exit(serve({'port': 2}))"
    done = start(program, models=tmp_path / "absent.npz", port=port)

    line = "SOFTLENS_PORT is set otherwise, but the command line wins"
    assert (line in done.stderr) == told


def test_nothing_to_serve_says_what_to_set() -> None:
    done = start()

    assert done.returncode == 66
    assert "set SOFTLENS_MODELS" in done.stderr


@pytest.mark.parametrize("name", ["n" * 300, "file/model.npz", "pipe"])
def test_a_model_that_no_file_can_be_is_an_error_of_its_own(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")

    done = start(models=tmp_path / name, port=0)

    assert done.returncode == 66
    assert done.stderr.count("\n") == 1


def test_links_that_kubernetes_sets_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTLENS_PORT", "tcp://10.0.0.1:8000")

    assert Settings().port == 8000


def test_links_that_kubernetes_sets_are_no_typos() -> None:
    done = start(service_host="10.0.0.1", port_8000_tcp="tcp://10.0.0.1:8000")

    assert "unknown setting" not in done.stderr


@pytest.mark.parametrize("name", [name for name in Settings.model_fields if name != "host"])
def test_an_empty_setting_is_one_that_is_not_set(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"SOFTLENS_{name.upper()}", "")

    assert getattr(Settings(), name) == Settings.model_fields[name].default


def test_the_number_of_workers_may_be_named_as_other_servers_do() -> None:
    assert from_platform({"WEB_CONCURRENCY": "3"}) == {"workers": "3"}
    assert from_platform({"WEB_CONCURRENCY": "3", "SOFTLENS_WORKERS": "2"}) == {}
