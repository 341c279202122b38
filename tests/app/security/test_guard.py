"""What the gate asks a guard, where no route of this server shows it."""

import pytest

from app.access import EVERYTHING, Access
from app.admission import Admission, Room
from app.calls import Call
from app.errors import RequestError
from app.security import Guard, KeyRing

KEY = "a-key-of-20-letters-and-more"


async def nothing() -> dict[str, object]:
    return {}


def call(**headers: str) -> Call:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/metrics", "headers": pairs}
    return Call(scope, nothing, Admission(Room()))


def ring(scope: str) -> KeyRing:
    return KeyRing(f"scraper:{scope}:{KEY}", None)


def test_metrics_want_a_key_of_their_own() -> None:
    guard = Guard(None, ring("metrics"), open_metrics=False)

    guard.admit(call(x_api_key=KEY), Access.METRICS)
    with pytest.raises(RequestError, match="expected a key"):
        guard.admit(call(), Access.METRICS)


def test_a_key_for_other_things_does_not_open_metrics() -> None:
    guard = Guard(None, ring("predict+debug+admin"), open_metrics=False)

    with pytest.raises(RequestError, match="expected a key with the scope metrics, got admin, deb"):
        guard.admit(call(x_api_key=KEY), Access.METRICS)


def test_metrics_can_be_opened_and_nothing_else_with_them() -> None:
    guard = Guard(None, ring("predict"), open_metrics=True)

    guard.admit(call(), Access.METRICS)
    for access in (Access.PREDICT, Access.DEBUG, Access.ADMIN):
        with pytest.raises(RequestError, match="expected a key"):
            guard.admit(call(), access)


def test_without_keys_everyone_may_see_everything() -> None:
    asked = call()

    Guard(None, None, open_metrics=False).admit(asked, Access.PREDICT)

    assert asked.scopes == EVERYTHING


def test_who_passed_no_guard_may_see_nothing() -> None:
    assert call().scopes == frozenset()
