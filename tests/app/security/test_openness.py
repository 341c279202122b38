"""What a server says of itself when it starts, and what keeps it from starting."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from app.security import KeyRing, Surface, tell_what_is_open
from tests.app.security.keyed import LINES, keyed
from tests.serving import DEADLINE, environment

LOOPBACK = Surface("127.0.0.1", debug=True, control=False, open_metrics=False)
WIDE = LOOPBACK._replace(address="0.0.0.0")  # noqa: S104  nobody listens there


def told(
    surface: Surface, keys: KeyRing | None, caplog: pytest.LogCaptureFixture
) -> tuple[str, str]:
    caplog.set_level(logging.INFO)
    tell_what_is_open(surface, keys)
    (record,) = caplog.records
    return record.levelname, record.getMessage()


@pytest.mark.parametrize(
    ("surface", "level", "expected"),
    [
        (
            LOOPBACK,
            "INFO",
            "open to everyone on this machine: predict, gradients; model control off",
        ),
        (
            LOOPBACK._replace(debug=False),
            "INFO",
            "open to everyone on this machine: predict; model control off",
        ),
        (
            WIDE,
            "WARNING",
            "open to everyone who reaches 0.0.0.0: predict, gradients; model control off; "
            "SOFTLENS_KEYS_FILE asks for keys",
        ),
        (
            WIDE._replace(control=True),
            "WARNING",
            "open to everyone who reaches 0.0.0.0: predict, gradients, loading and unloading "
            "models; SOFTLENS_KEYS_FILE asks for keys",
        ),
    ],
)
def test_what_is_open_without_keys(
    surface: Surface, level: str, expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert told(surface, None, caplog) == (level, expected)


def test_what_is_open_with_keys(caplog: pytest.LogCaptureFixture) -> None:
    level, line = told(WIDE._replace(open_metrics=True), KeyRing(LINES, None), caplog)

    assert level == "INFO"
    assert line == (
        "6 keys known, by scope: predict 3, debug 3, admin 2, metrics 2; "
        "open to everyone: health, API reference, metrics; model control off"
    )


def start(**settings: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.server"],
        env=environment(port=0, **settings), capture_output=True, text=True, timeout=DEADLINE,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "SOFTLENS_KEYS_FILE: cannot be read: No such file or directory"),
        ("", "SOFTLENS_KEYS_FILE: expected at least one key, found none"),
        ("\n\na:predict:s3cret", "SOFTLENS_KEYS_FILE, line 3: expected sha256: and 64 hexadecim"),
        ("a-s3cret-in-the-wrong-place", "SOFTLENS_KEYS_FILE, line 1: expected NAME:SCOPE+SCOPE"),
        ("a:predict:s3cret-caf\xe9-and-more", "SOFTLENS_KEYS_FILE: expected ASCII text"),
    ],
)
def test_keys_of_no_use_stop_the_start_in_one_line(
    content: str | None, expected: str, model_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "keys"
    if content is not None:
        file.write_text(content)

    done = start(models=model_file, keys_file=file)

    assert done.returncode == 78
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"softlens: {expected}")
    assert "s3cret" not in done.stderr


def test_workers_do_not_start_without_their_keys_either(model_file: Path, tmp_path: Path) -> None:
    done = start(models=model_file, keys_file=tmp_path / "absent", workers=2)

    assert done.returncode == 78
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("softlens: SOFTLENS_KEYS_FILE: cannot be read: ")


def test_several_workers_say_once_what_is_open(model_file: Path, tmp_path: Path) -> None:
    with keyed(model_file, tmp_path, workers=2) as server:
        server.stop()

    assert "".join(server.stderr).count("6 keys known") == 1


@pytest.mark.parametrize("value", ["s3cret", "a:predict", "a:predict:s3cret", ","])
def test_a_variable_of_no_use_stops_the_start_in_one_line(value: str, model_file: Path) -> None:
    done = start(models=model_file, keys=value)

    assert done.returncode == 78
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("softlens: SOFTLENS_KEYS")
    assert "s3cret" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowed_hosts", "http://example.com"), ("allowed_hosts", "example.com:80"),
        ("allowed_hosts", "a b"), ("allowed_hosts", "*example.com"), ("allowed_hosts", "::1"),
        ("cors_origins", "example.com"), ("cors_origins", "https://example.com/"),
        ("cors_origins", "null"), ("cors_origins", "https://*.example.com"),
        ("cors_origins", "https://Example.com"),
    ],
)  # fmt: skip
def test_a_bad_list_stops_the_start_in_one_line(name: str, value: str) -> None:
    done = start(models="absent.npz", **{name: value})

    assert done.returncode == 78
    assert done.stderr.count("\n") == 1
    assert f"SOFTLENS_{name.upper()}: Value error, expected " in done.stderr
