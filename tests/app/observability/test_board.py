import asyncio
import mmap
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from starlette.requests import Request

from app.admission import Admission, Room
from app.calls import Call
from app.main import create_app
from app.observability.board import GAUGES, NUMBERS, SLOT_BYTES, Board, open_board
from app.observability.confidence import Confidence, entropy_of
from app.observability.counting import Meter
from app.observability.layout import SATURATED, STATUS_CODES, Layout
from app.observability.requests import RequestLog
from app.settings import Settings
from tests.app.observability.scraping import Samples, families_of, samples_of, value
from tests.serving import DEADLINE, environment

ROUTES = [("/predict", ["POST"]), ("/livez", ["GET", "HEAD"])]


def meter_on(board: Board) -> Meter:
    return Meter(Layout(ROUTES), board, RequestLog("off", 1, as_json=True))


def call_to(path: str, route: str) -> Call:
    scope = {"type": "http", "method": "POST", "path": path, "headers": []}
    call = Call(scope, Request(scope).receive, Admission(Room()))
    call.route = route
    return call


def count(meter: Meter, *calls: Call, status: int = 200) -> None:
    """Have these requests answered, in one turn of a loop."""

    async def answer() -> None:
        for call in calls:
            meter.answered(call, status)

    asyncio.run(answer())


def in_a_child(layout: Layout, memory: mmap.mmap, slot: int, requests: int) -> None:
    """Let a process sit in the slot, answer so many requests, and die without a word."""
    child = os.fork()
    if child == 0:
        meter = Meter(layout, open_board(memory, slot), RequestLog("off", 1, as_json=True))
        meter.set_queued(7)
        count(meter, *[call_to("/predict", "/predict")] * requests)
        os._exit(0)
    os.waitpid(child, 0)


def scraped(model_file: Path, board: Board) -> Samples:
    app = create_app(Settings(models=model_file, request_log="off"), board)
    text, _ = app.exposition.written("")
    return samples_of(families_of(text.decode()))


def test_the_slots_of_dead_workers_still_count(model_file: Path) -> None:
    memory = mmap.mmap(-1, 3 * SLOT_BYTES)
    app = create_app(Settings(models=model_file, request_log="off"), open_board(memory, 0))
    for slot, requests in ((1, 5), (2, 3), (1, 4)):
        in_a_child(app.meter.layout, memory, slot, requests)
    count(app.meter, call_to("/predict", "/predict"))

    text, _ = app.exposition.written("")
    found = samples_of(families_of(text.decode()))

    assert value(found, "softlens_requests_total", route="/predict", code="200") == 5 + 3 + 4 + 1
    assert value(found, "softlens_workers") == 1  # the others are dead,
    assert value(found, "softlens_queue_depth") == 0  # and nothing waits for them


def test_gauges_are_of_those_who_live(model_file: Path) -> None:
    board = open_board(mmap.mmap(-1, 2 * SLOT_BYTES), 0)
    meter = meter_on(board)
    meter.set_queued(3)
    meter.set_draining(True)

    found = scraped(model_file, board)
    again = scraped(model_file, open_board(mmap.mmap(-1, SLOT_BYTES), 0))

    assert value(found, "softlens_queue_depth") == 3
    assert value(found, "softlens_draining") == 1
    assert value(again, "softlens_queue_depth") == 0


def test_who_takes_a_slot_goes_on_with_its_counters_but_not_its_gauges() -> None:
    memory = mmap.mmap(-1, SLOT_BYTES)
    first = open_board(memory)
    for place in range(NUMBERS):
        first.numbers[place] = 9.0

    second = open_board(memory)

    assert second.numbers[0] == os.getpid()
    assert list(second.numbers[1:GAUGES]) == [0.0] * (GAUGES - 1)
    assert list(second.numbers[GAUGES:]) == [9.0] * (NUMBERS - GAUGES)


def test_what_waits_and_what_is_refused_before_it_is_a_request_are_counted(
    model_file: Path,
) -> None:
    app = create_app(Settings(models=model_file, request_log="off"))
    app.meter.waited(0.02)
    app.meter.refused("body-too-large")
    app.meter.refused("what nobody has heard of")

    text, _ = app.exposition.written("")
    found = samples_of(families_of(text.decode()))

    assert value(found, "softlens_queue_seconds_sum") == pytest.approx(0.02)
    assert value(found, "softlens_rejected_total", reason="body-too-large") == 1
    assert value(found, "softlens_rejected_total", reason="other") == 1


def test_no_two_numbers_share_a_place() -> None:
    layout = Layout(ROUTES)
    places = [*layout.start.values(), *layout.requests.values()]

    assert len(places) == len(set(places))
    assert min(places) == GAUGES


def test_all_routes_fit_into_a_slot_with_room_for_as_many_again(model_file: Path) -> None:
    app = create_app(Settings(models=model_file, health_route="/h", predict_route="/p"))

    assert max(app.meter.layout.requests.values()) < NUMBERS / 2


def test_more_routes_than_a_slot_holds_stop_the_start() -> None:
    with pytest.raises(ValueError, match=f"a slot of the board has {NUMBERS}"):
        Layout((f"/{number}", ["GET"]) for number in range(1000))


def test_a_status_that_nobody_has_named_is_counted_as_other() -> None:
    layout = Layout(ROUTES)

    assert 418 not in STATUS_CODES
    assert layout.request("/predict", "POST", 418) not in {
        layout.request("/predict", "POST", status) for status in STATUS_CODES
    }


def test_the_memory_of_methods_is_bounded() -> None:
    meter, calls = meter_on(open_board()), []
    for number in range(500):
        call = call_to("/x", "")
        call.scope["method"] = f"M{number}"
        calls.append(call)
    count(meter, *calls, status=404)

    assert meter._known == {}


def test_the_board_needs_neither_numpy_nor_fastapi() -> None:
    """The supervisor of several workers imports it, and lines to log with."""
    program = (
        "import sys, app.observability.board, app.observability.lines\n"
        "sys.exit(bool({'numpy', 'fastapi', 'starlette', 'pydantic'} & sys.modules.keys()))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), check=False, timeout=60
    )

    assert done.returncode == 0


def test_what_writes_metrics_is_not_imported_before_it_is_needed(model_file: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from app.main import create_app\nfrom app.settings import Settings\n"
        f"app = create_app(Settings(models=Path({str(model_file)!r})))\n"
        "assert 'prometheus_client' not in sys.modules\n"
        "app.exposition.written('')\n"
        "assert 'prometheus_client' in sys.modules\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), check=False, timeout=60
    )

    assert done.returncode == 0


def test_answers_are_looked_at_though_nobody_asks() -> None:
    """Another worker may be the one that is scraped."""
    layout, board = Layout(ROUTES), open_board()
    place = layout.start[SATURATED]

    async def count() -> None:
        Confidence(layout, board).note(np.array([[0.0, 1.0]], np.float32))
        assert board.numbers[place] == 0
        async with asyncio.timeout(DEADLINE):
            while board.numbers[place] == 0:
                await asyncio.sleep(0.01)

    asyncio.run(count())


def test_of_a_large_answer_some_rows_are_looked_at() -> None:
    layout, board = Layout(ROUTES), open_board()
    certain = np.tile(np.array([0.0, 1.0], np.float32), (100_000, 1))

    async def count() -> None:
        confidence = Confidence(layout, board)
        confidence.note(certain)
        confidence.flush()

    asyncio.run(count())
    assert 1000 < board.numbers[layout.start[SATURATED]] <= 2048


def test_entropy_is_that_of_the_definition() -> None:
    p = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]], np.float32)

    np.testing.assert_allclose(entropy_of(p), [np.log(2), 0.0, np.log(3)], rtol=1e-7)
