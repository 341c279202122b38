"""Deadlines without a clock: what a sweep sees, and when."""

import pytest

from app.server.deadlines import Place, Stage, Watch
from app.server.limits import Limits

LIMITS = Limits(
    header_bytes=1, headers=1, url_bytes=1, silent_seconds=2, header_seconds=10, body_seconds=10,
    request_seconds=30, write_seconds=20, keep_alive_seconds=5, connections=1, backlog=1,
    unsent_bytes=1,
)  # fmt: skip


@pytest.mark.parametrize(
    ("stage", "seconds", "name"),
    [
        (Stage.HEAD, 10, "header_seconds"),
        (Stage.BODY, 10, "body_seconds"),
        (Stage.WRITING, 20, "write_seconds"),
        (Stage.IDLE, 5, "keep_alive_seconds"),
        (Stage.LINGERING, 2, "linger_seconds"),
    ],
)
def test_a_stage_lasts_as_long_as_its_setting(stage: Stage, seconds: float, name: str) -> None:
    watch = Watch(0.0)
    place = Place(stage, 7)

    assert watch.overdue(place, 100.0, LIMITS) is None
    assert watch.overdue(place, 99.99 + seconds, LIMITS) is None
    assert watch.overdue(place, 100.0 + seconds, LIMITS) == name


def test_silence_counts_from_the_connection_on() -> None:
    watch = Watch(50.0)

    assert watch.overdue(Place(Stage.SILENT, 1), 51.9, LIMITS) is None
    assert watch.overdue(Place(Stage.SILENT, 1), 52.0, LIMITS) == "silent_seconds"


def test_the_first_head_has_no_more_time_for_a_late_first_byte() -> None:
    patient = LIMITS._replace(silent_seconds=10)
    watch = Watch(0.0)
    watch.overdue(Place(Stage.SILENT, 1), 9.0, patient)

    assert watch.overdue(Place(Stage.HEAD, 1), 9.5, patient) is None
    assert watch.overdue(Place(Stage.HEAD, 1), 10.0, patient) == "header_seconds"


def test_a_later_head_has_a_time_of_its_own() -> None:
    watch = Watch(0.0)
    watch.overdue(Place(Stage.IDLE, 1), 100.0, LIMITS)

    assert watch.overdue(Place(Stage.HEAD, 2), 104.0, LIMITS) is None
    assert watch.overdue(Place(Stage.HEAD, 2), 113.9, LIMITS) is None
    assert watch.overdue(Place(Stage.HEAD, 2), 114.0, LIMITS) == "header_seconds"


def test_a_body_that_gets_on_ends_with_the_time_for_all() -> None:
    """Counted from the head."""
    watch = Watch(0.0)
    watch.overdue(Place(Stage.IDLE, 1), 90.0, LIMITS)
    watch.overdue(Place(Stage.HEAD, 2), 91.0, LIMITS)

    found = [watch.overdue(Place(Stage.BODY, 2, i), 91.0 + i, LIMITS) for i in range(1, 31)]

    assert found == [None] * 29 + ["request_seconds"]


def test_bodies_that_follow_each_other_do_not_share_their_time() -> None:
    watch = Watch(0.0)

    found = [watch.overdue(Place(Stage.BODY, i), 9.0 * i, LIMITS) for i in range(1, 20)]

    assert found == [None] * 19


def test_a_client_that_takes_its_answer_in_parts_gets_on() -> None:
    watch = Watch(0.0)

    found = [watch.overdue(Place(Stage.WRITING, 1, -i), 19.0 * i, LIMITS) for i in range(1, 20)]

    assert found == [None] * 19


def test_we_may_take_any_time_ourselves() -> None:
    watch = Watch(0.0)
    watch.overdue(Place(Stage.ANSWERING, 1), 0.0, LIMITS)

    assert watch.overdue(Place(Stage.ANSWERING, 1), 1e9, LIMITS) is None


def test_a_crowd_has_no_patience_for_the_idle() -> None:
    crowded = LIMITS.when_crowded()

    assert (crowded.silent_seconds, crowded.keep_alive_seconds) == (1.0, 1.0)
    assert crowded.body_seconds == LIMITS.body_seconds
