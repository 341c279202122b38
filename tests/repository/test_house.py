"""The repository keeps its own rules."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
SOURCES = sorted((ROOT / "app").rglob("*.py")) + sorted((ROOT / "model").rglob("*.py"))


def names(requirements: list[str]) -> set[str]:
    found = (re.match(r"[A-Za-z0-9-]+", requirement) for requirement in requirements)
    return {match.group() for match in found if match}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_has_a_hash_for_everything_and_no_address(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())

    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==", entry), entry[:60]
        assert "--hash=sha256:" in entry
        assert "://" not in entry
        assert "index" not in entry.partition("\n")[0]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_has_what_the_project_asks_for(lock: Path) -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = names(PROJECT["project"]["dependencies"])
    wanted |= names(extras["train"]) if lock.stem != "serve" else set()
    wanted |= names(extras["dev"]) - {"softlens"} if lock.stem in {"dev", "benchmark"} else set()

    locked = {line.partition("==")[0] for line in lock.read_text().split("\n") if "==" in line}

    assert wanted <= locked


def test_all_locks_agree() -> None:
    pins = [
        dict(
            re.findall(
                r"^([a-z0-9._-]+)==(\S+)$", re.sub(r" *;.*| *\\", "", lock.read_text()), re.M
            )
        )
        for lock in LOCKS
    ]

    everything = {key: value for pin in pins for key, value in pin.items()}
    for pin in pins:
        assert pin.items() <= everything.items()


def test_serving_has_at_most_twelve_dependencies_each_with_a_reason() -> None:
    dependencies = names(PROJECT["project"]["dependencies"])
    reasons = (ROOT / "docs" / "decisions" / "0003-dependencies.md").read_text()

    assert len(dependencies) <= 12
    for name in dependencies:
        assert f"| {name} |" in reasons


@pytest.mark.parametrize("package", ["python-multipart", "typer", "rich", "threadpoolctl"])
def test_serving_does_not_bring(package: str) -> None:
    assert f"{package}==" not in (ROOT / "requirements" / "serve.lock").read_text()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 250


def test_the_top_level_is_what_was_agreed() -> None:
    listed = subprocess.run(
        ["git", "ls-tree", "--name-only", "HEAD"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("not a git checkout")

    visible = {name for name in listed.stdout.split() if not name.startswith(".")}
    assert visible <= {
        "app", "model", "tests", "docs", "requirements", "Dockerfile", "pyproject.toml",
        "README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "Makefile",
    }  # fmt: skip


def test_pickles_are_never_allowed() -> None:
    for path in SOURCES:
        assert "allow_pickle=True" not in path.read_text()


def test_statuses_live_in_one_module() -> None:
    for path in SOURCES:
        if path != ROOT / "app" / "errors.py":
            assert "HTTPStatus" not in path.read_text()
            assert not re.search(r"status_code=\d", path.read_text())


def test_the_wheel_carries_both_packages_and_the_digits() -> None:
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["app", "model"]
    assert (ROOT / "model" / "data" / "digits.npz").exists()
