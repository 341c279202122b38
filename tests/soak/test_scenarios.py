"""The scenarios in short, and controls that must fail."""

from pathlib import Path

from tests.soak import pressure, scenarios
from tests.soak.__main__ import HEADING, with_row

STOCK = """
import sys, uvicorn
from app.server.run import serve
from app.server.stopping import Server
Server.shutdown = uvicorn.Server.shutdown
sys.exit(serve({}))
"""

SERVE = "import sys\nfrom app.server.run import serve\nsys.exit(serve({}))\n"


def test_a_stop_under_load_answers_whatever_was_accepted(model_file: Path) -> None:
    assert scenarios.terminations(model_file, times=5).broken == []


def test_a_stop_without_a_drain_still_answers_whatever_was_accepted(model_file: Path) -> None:
    assert scenarios.terminations(model_file, times=3, drain=0).broken == []


def test_a_stop_of_workers_answers_whatever_was_accepted(model_file: Path) -> None:
    assert scenarios.terminations(model_file, times=2, workers=2).broken == []


def test_a_stop_as_uvicorn_has_it_is_noticed(model_file: Path) -> None:
    found = scenarios.terminations(model_file, times=2, drain=0, program=STOCK)

    assert found.broken
    assert found.figures["lost"] > 0


def test_reloads_under_load_lose_nothing(model_file: Path) -> None:
    found = scenarios.reloads(model_file, times=5)

    assert found.broken == []
    assert found.figures["answered"] > 100


def test_reloads_that_stop_as_uvicorn_does_are_noticed(model_file: Path) -> None:
    assert scenarios.reloads(model_file, times=3, program=STOCK).broken


def test_a_killed_worker_is_replaced_and_only_its_own_requests_are_lost(model_file: Path) -> None:
    assert scenarios.kills(model_file, times=2).broken == []


def test_a_stopped_worker_is_noticed_and_replaced(model_file: Path) -> None:
    assert scenarios.hangs(model_file, times=1).broken == []


def test_workers_end_with_their_supervisor_and_lose_nothing(model_file: Path) -> None:
    assert scenarios.orphans(model_file, times=1).broken == []


def test_twice_the_capacity_is_answered_or_refused(tmp_path: Path) -> None:
    found = pressure.overload(tmp_path, seconds=3)

    assert found.broken == []
    # Machines are shared: how good it is, is for the long form to say.
    assert found.figures["goodput"] > 0.3


def test_slow_clients_are_closed_in_time_beside_others(model_file: Path) -> None:
    found = pressure.slow(
        model_file, count=40, rate=50, header_seconds=2.0, body_seconds=2.0, request_seconds=5.0
    )

    assert found.broken == []
    assert found.figures["trickled_body_seconds"] > found.figures["silent_seconds"]


def test_a_server_that_bears_with_slow_clients_is_noticed(model_file: Path) -> None:
    patient = "from app.server.connections import Connections\n"
    patient += "Connections._sweep = lambda *_: None\n"
    found = pressure.slow(
        model_file, 8, rate=50, program=patient + SERVE, header_seconds=1.0, request_seconds=1.0
    )

    assert len(found.broken) == 4


def test_memory_that_grows_is_noticed(model_file: Path) -> None:
    leaking = "from app.calls import Call\nkept, make = [], Call.__init__\n"
    leaking += "def init(self, *a): make(self, *a); kept.append(bytes(10_000))\n"
    leaking += "Call.__init__ = init\n"

    assert pressure.growth(model_file, 3_000, 1_000, leaking + SERVE).broken == ["more than 5 MiB"]


def test_a_row_takes_the_place_of_the_one_before() -> None:
    page = f"# Page\n\n{HEADING}| `b` | old | kept | 1 s |\n| `c` | 1 | kept | 1 s |\n\nEnd.\n"

    found = with_row(with_row(page, "| `b` | new |"), "| `a` | new |")

    assert found == (
        f"# Page\n\n{HEADING}| `a` | new |\n| `b` | new |\n| `c` | 1 | kept | 1 s |\n\nEnd.\n"
    )


def test_the_first_row_of_a_page_leaves_the_rest_as_it_is() -> None:
    page = f"# Page\n\n{HEADING}\nWhat is not there yet\nwas not run.\n"

    found = with_row(page, "| `a` | new |")

    assert found == f"# Page\n\n{HEADING}| `a` | new |\n\nWhat is not there yet\nwas not run.\n"


def test_memory_does_not_grow_with_requests(model_file: Path) -> None:
    assert pressure.growth(model_file, requests=3_000, warm=1_000).broken == []
