"""softlens bench, against real servers."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.security.keys import make_key
from model import save_artifact
from tests.app.test_cli import SOFTLENS, softlens
from tests.model.artifacts import make_artifact
from tests.serving import DEADLINE, Server, environment, serving

BRIEFLY = ("--seconds", "0.2")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "small.npz"
    save_artifact(path, make_artifact(np.random.default_rng(0), name="small"))
    return path


@pytest.fixture(scope="module")
def server(model: Path) -> Iterator[Server]:
    with serving(model) as running:
        yield running


def measured(*arguments: object) -> dict[str, Any]:
    done = softlens("bench", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_server_is_measured_at_three_numbers_of_connections(server: Server) -> None:
    found = measured(server.url, *BRIEFLY)

    assert [run["connections"] for run in found["runs"]] == [1, 16, 64]
    for run in found["runs"]:
        latency = run["latency"]
        assert run["requests"] >= run["connections"]
        assert run["requests_per_second"] == pytest.approx(run["requests"] / run["seconds"])
        assert 0 < latency["p50"] <= latency["p99"]
        assert (run["refused"], run["lost"]) == ({}, 0)


def test_the_server_says_where_the_time_goes_and_counts_what_was_asked(server: Server) -> None:
    found = measured(server.url, *BRIEFLY)

    for run in found["runs"]:
        spent = run["spent"]
        assert spent["requests"] == run["requests"]
        parts = [spent[name] for name in ("outside", "waiting", "handling", "inference")]
        assert sum(parts) == pytest.approx(run["latency"]["mean"])
        assert parts[0] > 0
        assert parts[2] > 0
        assert 0 < spent["inference"] < run["latency"]["mean"]


def test_no_more_is_asked_than_was_allowed(server: Server) -> None:
    found = measured(server.url, "--requests", 70, "--seconds", 30)

    assert [run["requests"] for run in found["runs"]] == [70, 70, 70]


def test_rows_are_made_for_the_model_that_is_named(server: Server) -> None:
    found = measured(server.url, "--model", "small", "--rows", 7, *BRIEFLY)

    assert (found["path"], found["rows"]) == ("/models/small/predict", 7)
    assert found["runs"][0]["spent"]["requests"] == found["runs"][0]["requests"]


def test_ctrl_c_ends_it_without_a_word(server: Server) -> None:
    command = [*SOFTLENS, "bench", server.url, "--seconds", "30"]
    before = _asked(server)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        end = time.monotonic() + DEADLINE
        while _asked(server) < before + 100 and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=DEADLINE)

    assert (process.returncode, stdout, stderr) == (130, "", "")


def _asked(server: Server) -> float:
    """How many predictions the server has answered so far."""
    with server.client() as client:
        text = client.get("/metrics").text
    found = re.search(r'^softlens_requests_total{code="200",route="/predict"} (\S+)', text, re.M)
    return float(found[1]) if found else 0.0


def test_without_json_people_read_two_tables(server: Server) -> None:
    done = softlens("bench", server.url, *BRIEFLY)

    assert done.returncode == 0
    assert "POST /predict: small version 1, 1 row of 4 features" in done.stdout
    assert "p99 ms" in done.stdout
    assert "where the time of a request goes" in done.stdout
    assert done.stderr == ""


def test_a_body_of_ones_own_is_posted_as_it_is(server: Server, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_bytes(b'{"inputs": [[1, 2, 3, 4]]}')

    found = measured(server.url, "--body", body, *BRIEFLY)

    assert (found["bytes"], found["rows"]) == (26, None)


def test_a_body_that_the_server_refuses_is_not_measured(server: Server, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_bytes(b'{"inputs": [[1, 2, true, 4]]}')

    done = softlens("bench", server.url, "--body", body)

    assert done.returncode == 65
    assert done.stderr == (
        f"softlens: {body}: 422: expected a number, got a boolean at /inputs/0/2\n"
    )


def test_a_key_is_sent_and_without_one_the_server_refuses(model: Path, tmp_path: Path) -> None:
    keys = {scope: make_key(scope, [scope]) for scope in ("predict", "metrics")}
    both = make_key("both", ["predict", "metrics"])
    lines = ", ".join(line for _, line in [*keys.values(), both])
    (tmp_path / "predict").write_text(f"{keys['predict'][0]}\n")
    (tmp_path / "both").write_text(f"{both[0]}\n{both[1]}\n")

    with serving(model, keys=lines) as server:
        none = softlens("bench", server.url)
        half = softlens("bench", server.url, "--key-file", tmp_path / "predict", *BRIEFLY)
        whole = measured(server.url, "--key-file", tmp_path / "both", *BRIEFLY)

    assert none.returncode == 69
    assert none.stderr.startswith(f"softlens: {server.url}: GET /models: 401: expected a key")
    assert half.returncode == 0
    assert "where the time goes is not known: GET /metrics: 403: expected a key" in half.stderr
    assert "where the time of a request goes" not in half.stdout
    assert whole["runs"][0]["spent"]["inference"] > 0


def test_requests_that_are_refused_are_counted_and_not_timed(model: Path) -> None:
    with serving(model, max_backlog=8) as server:
        found = measured(server.url, *BRIEFLY)

    busy = found["runs"][-1]
    assert busy["refused"]["503"] > 0
    assert busy["requests"] == busy["spent"]["requests"]
