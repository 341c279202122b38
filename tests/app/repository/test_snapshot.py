import pytest

from app.errors import UnknownModelError
from app.repository import Entry, Snapshot


@pytest.mark.parametrize(
    ("entry", "detail"),
    [
        (Entry("a", "1", "UNAVAILABLE", "truncated"), "a version 1 is not served: truncated"),
        (Entry("a", "1", "LOADING", ""), "a version 1 is not served: it is being loaded"),
        (Entry("b", "1", "UNAVAILABLE", "truncated"), "no model of this name"),
    ],
)
def test_who_asks_for_what_does_not_answer_learns_why(entry: Entry, detail: str) -> None:
    snapshot = Snapshot([], [entry])

    with pytest.raises(UnknownModelError, match=detail):
        snapshot.find("a")
    assert snapshot.index() == [entry]


def test_a_snapshot_of_nothing_has_no_default() -> None:
    with pytest.raises(UnknownModelError, match="no model is loaded"):
        _ = Snapshot([], []).default
