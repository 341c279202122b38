"""Versions with holes that are known are neither asked for nor locked."""

import re

import pytest

from tests.repository.test_house import LOCKS, PROJECT

# The first version without the hole.
FLOORS = {
    "starlette": (1, 3, 1),  # a malformed Host misleads guards; denials of service by forms, Range
    "h11": (0, 16, 0),  # chunks that end otherwise than others read them
    "uvicorn": (0, 11, 7),  # a request that writes into the log, or splits an answer
    "numpy": (1, 16, 3),  # pickles that are loaded unasked
}
DEPENDENCIES = PROJECT["project"]["dependencies"]


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", text)))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
@pytest.mark.parametrize("package", FLOORS)
def test_what_is_locked_is_above_the_known_holes(package: str, lock: object) -> None:
    pins = re.findall(rf"^{package}==([\d.]+)", lock.read_text(), re.M)  # type: ignore[attr-defined]

    assert [pin for pin in pins if version(pin) < FLOORS[package]] == []
    assert pins or package == "h11"  # which only test tools may bring


@pytest.mark.parametrize("package", [name for name in FLOORS if name != "h11"])
def test_what_is_asked_for_is_above_the_known_holes(package: str) -> None:
    (floor,) = [entry for entry in DEPENDENCIES if entry.startswith(f"{package}>=")]

    assert version(floor.partition(">=")[2]) >= FLOORS[package]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_nothing_here_can_read_a_form(lock: object) -> None:
    """python-multipart has had several denials of service; no route takes a form."""
    assert "multipart==" not in lock.read_text()  # type: ignore[attr-defined]
