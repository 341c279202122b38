"""The benchmarks still run, and say what they could not measure."""

import re
import sys
from pathlib import Path

import pytest

from tests.benchmarks import environments
from tests.benchmarks.__main__ import DOCUMENT, NAMES
from tests.benchmarks.contenders import BARE, LIMIT, LOGGED, OURS, SOFTLENS, VARIANTS, Contender
from tests.benchmarks.markdown import write
from tests.benchmarks.processes import Question, free_ports, running
from tests.benchmarks.rivals import BINARY_PEERS, PEERS
from tests.benchmarks.turns import Rules, race, race_table
from tests.benchmarks.workloads import Workload, small
from tests.serving import environment

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_has_its_place_on_the_page(name: str) -> None:
    assert f"<!-- {name}: begin -->" in DOCUMENT.read_text()


def test_every_place_on_the_page_has_its_benchmark() -> None:
    assert set(re.findall(r"<!-- (\w+): begin -->", DOCUMENT.read_text())) == set(NAMES)


def test_a_report_replaces_only_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n")

    write(page, "x", r"new \1")

    assert page.read_text() == "a\n<!-- x: begin -->\nnew \\1\n<!-- x: end -->\nb\n"


def test_servers_take_turns_and_who_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PEERS_HOME", raising=False)
    asked = Workload("W1", "one row", small(tmp_path), 1)

    found = race(asked, LIMIT, (SOFTLENS, *VARIANTS, *PEERS), Rules(4, 1, seconds=0.1))

    assert set(found.turns) == {OURS, LOGGED, BARE}
    for (turn,) in found.turns.values():
        assert 0 < turn.own.p50 <= turn.own.p99
        assert 0 < turn.limit.cpu < turn.own.cpu
    text = race_table("W1", "hello", found)
    for peer in PEERS:
        assert f"| {peer.name} | not asked for" in text


def test_a_peer_that_could_not_be_installed_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEERS_HOME", str(tmp_path))
    (tmp_path / "mosec.failed").write_text("no wheel for this machine")

    with pytest.raises(LookupError, match="not installed: no wheel for this machine"):
        environments.python("mosec")


@pytest.mark.parametrize("peer", [*PEERS, *BINARY_PEERS], ids=lambda peer: peer.name)
def test_every_peer_has_an_environment_by_an_exact_version(peer: Contender) -> None:
    assert "==" in environments.SERVERS[peer.environment][0]


def test_a_server_that_does_not_start_says_its_last_words() -> None:
    (port,) = free_ports(1)
    command = (sys.executable, "-c", "import sys; sys.exit('no such weights')")

    with (
        pytest.raises(RuntimeError, match="no answer: no such weights"),
        running(command, port, Question("/", b""), **environment()),
    ):
        pass


def test_equal_figures_make_equal_pictures() -> None:
    pytest.importorskip("matplotlib")
    from tests.benchmarks.plots import Labels, Point, drawn  # noqa: PLC0415

    points = [Point(1, 0.001, 70), Point(1000, 0.1, 80)]

    pictures = {drawn(points, Labels("rows", "time")) for _ in range(2)}

    assert len(pictures) == 1
    assert "<metadata>" not in pictures.pop()
