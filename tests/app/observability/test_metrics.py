import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from app.errors import STATUSES
from app.observability.layout import REASONS
from tests.app.observability.scraping import (
    check_histograms,
    families_of,
    samples_of,
    scrape,
    value,
)
from tests.attacks.raw import Reader, connect, get
from tests.serving import DEADLINE, Server, serving

ROWS = [[1.0, 2.0, 3.0, 4.0]]
NEVER_DOWN = ("_total", "_count", "_bucket")


@pytest.fixture
def fresh(model_file: Path) -> Iterator[Server]:
    """A server of which nothing has been asked."""
    with serving(model_file) as running:
        yield running


def test_known_traffic_is_counted_exactly(fresh: Server) -> None:
    with fresh.client() as client:
        for rows in (1, 2, 5):
            client.post("/predict", json={"inputs": ROWS * rows})
        client.post("/predict", json={"inputs": [1, 2, 3]})
        client.post("/predict", content=b"{", headers={"content-type": "application/json"})
        client.post("/v2/models/fixture/infer", json={})
        client.post("/models/fixture/versions/1/gradient", json={"inputs": ROWS})
        client.post("/gradient", json={"logits": [[1, 2]]})
        client.get("/predict")
        client.head("/livez")
        found = scrape(client)

    def requests(route: str, code: str) -> float:
        return value(found, "softlens_requests_total", route=route, code=code)

    assert [requests("/predict", code) for code in ("200", "400", "422")] == [3, 1, 1]
    assert requests("/v2/models/{name}/infer", "400") == 1
    assert requests("/models/{name}/versions/{version}/gradient", "200") == 1
    assert requests("unmatched", "405") == 1
    labels = {"http_request_method": "HEAD", "http_response_status_code": "200"}
    name = "http_server_request_duration_seconds_count"
    assert value(found, name, http_route="/livez", **labels) == 1
    assert value(found, "softlens_inference_seconds_count") == 4  # bare logits need no model
    assert value(found, "softlens_batch_rows_sum") == 1 + 2 + 5 + 1
    assert value(found, "softlens_batch_rows_bucket", le="2.0") == 3
    assert value(found, "softlens_answer_entropy_nats_count") == 8
    for reason in ("wrong-width", "malformed-json", "method-not-allowed"):
        assert value(found, "softlens_rejected_total", reason=reason) == 1


def test_every_route_of_the_reference_is_counted_under_its_template(fresh: Server) -> None:
    with fresh.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
        for path, methods in paths.items():
            for method in methods:
                client.request(method, path.replace("{version}", "1").replace("{name}", "fixture"))
        found = scrape(client)

    counted = {dict(labels)["route"] for name, labels in found if name == "softlens_requests_total"}
    assert counted == {*paths, "/openapi.json"}


def test_answers_that_are_certain_are_counted(fresh: Server) -> None:
    with fresh.client() as client:
        client.post("/predict", json={"inputs": [[1e6, -1e6, 1e6, -1e6], [0.5, 0.5, 0.5, 0.5]]})
        found = scrape(client)

    assert value(found, "softlens_saturated_answers_total") == 1
    assert value(found, "softlens_answer_entropy_nats_bucket", le="1e-06") == 1
    assert value(found, "softlens_answer_entropy_nats_count") == 2


def test_the_entropy_of_every_answer_is_counted(fresh: Server) -> None:
    """More of them than are looked at together."""
    with fresh.client() as client:
        for _ in range(70):
            client.post("/predict", json={"inputs": ROWS})
        found = scrape(client)

    assert value(found, "softlens_answer_entropy_nats_count") == 70


def test_numbers_that_are_not_finite_are_counted_by_their_reason(fresh: Server) -> None:
    with fresh.client() as client:
        client.post("/predict", content=b'{"inputs": [1e39, 0, 0, 0]}',
                    headers={"content-type": "application/json"})  # fmt: skip
        found = scrape(client)

    assert value(found, "softlens_rejected_total", reason="non-finite-input") == 1


def test_a_thousand_unknown_paths_make_no_series(fresh: Server) -> None:
    with fresh.client() as client:
        client.get("/absent")
        client.request("PURGE", "/absent")
        before = scrape(client).keys()
        before = scrape(client).keys()  # the first one is counted now
        for number in range(1000):
            client.get(f"/absent/{number}")
        client.post("/models/absent/predict", json={"inputs": ROWS})
        found = scrape(client)

    new = {
        dict(labels).get("route", dict(labels).get("http_route"))
        for _, labels in found.keys() - before
    }
    assert new == {"/models/{name}/predict"}
    assert value(found, "softlens_requests_total", route="unmatched", code="404") == 1002
    assert not any("absent" in text for _, labels in found for _, text in labels)


def test_methods_that_http_does_not_know_make_no_series(fresh: Server) -> None:
    with fresh.client() as client:
        for method in ("PURGE", "MKCOL", "SUBSCRIBE", "LINK"):
            client.request(method, "/predict")
        found = scrape(client)

    methods = {dict(labels).get("http_request_method") for _, labels in found} - {None}
    assert methods == {"_OTHER"}


def test_no_counter_goes_back_and_every_bucket_holds_those_below(fresh: Server) -> None:
    with fresh.client() as client:
        before = scrape(client)
        for _ in range(20):
            client.post("/predict", json={"inputs": ROWS * 3})
            client.post("/predict", json={})
            after = scrape(client)
            assert check_histograms(after) >= 4
            falling = [
                key for key in before if key[0].endswith(NEVER_DOWN) and after[key] < before[key]
            ]
            assert falling == []
            before = after


def test_a_bucket_that_holds_less_than_the_one_below_is_noticed() -> None:
    """The control of the test above."""
    text = '# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_count 1\na_sum 1\n'

    with pytest.raises(AssertionError):
        check_histograms(samples_of(families_of(text)))


def test_every_reason_is_there_before_it_is_needed(client: httpx.Client) -> None:
    found = scrape(client)

    reasons = {
        dict(labels)["reason"] for name, labels in found if name == "softlens_rejected_total"
    }
    assert reasons == set(REASONS) == {*STATUSES, "other"}


def test_the_models_and_the_build_are_named(client: httpx.Client) -> None:
    (card,) = client.get("/models").json()["models"]

    found = scrape(client)

    sha = card["sha256"]
    assert value(found, "softlens_model_info", model="fixture", version="1", sha=sha) == 1
    assert [labels for name, labels in found if name == "softlens_build_info"]
    assert value(found, "softlens_workers") == 1
    assert value(found, "softlens_draining") == 0


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_the_process_is_measured(fresh: Server) -> None:
    with fresh.client() as client:
        found = scrape(client)

    resident = fresh.resident()
    assert 0.5 * resident < value(found, "process_resident_memory_bytes") < 2 * resident
    assert value(found, "process_cpu_seconds_total") > 0.1  # it has imported NumPy
    assert abs(value(found, "process_start_time_seconds") - time.time()) < DEADLINE
    assert 5 < value(found, "process_open_fds") < value(found, "process_max_fds")


def test_whoever_asks_for_openmetrics_gets_it(client: httpx.Client) -> None:
    answer = client.get("/metrics", headers={"accept": "application/openmetrics-text"})

    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    read: Any = text_string_to_metric_families  # Any: it carries no types
    names = {family.name for family in read(answer.text)}
    assert {"softlens_requests", "softlens_batch_rows", "process_cpu_seconds"} <= names


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "x" * 3000, ";;q=,,", "text/plain;q=x"])
def test_whatever_a_client_accepts_it_gets_text(accept: str, client: httpx.Client) -> None:
    answer = client.get("/metrics", headers={"accept": accept})

    assert answer.headers["content-type"].startswith("text/plain")
    assert families_of(answer.text)


def test_a_client_that_leaves_early_is_counted(fresh: Server) -> None:
    with fresh.client() as client:

        def halves() -> Iterator[bytes]:
            yield b'{"inputs":'
            raise ConnectionError

        with pytest.raises(ConnectionError):
            client.post("/predict", content=halves(), headers={"content-type": "application/json"})
        deadline = time.monotonic() + DEADLINE
        while value(scrape(client), "softlens_disconnected_total") == 0:
            assert time.monotonic() < deadline


def test_reloads_are_counted_by_their_result(model_file: Path, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(model_file.read_bytes())
    with serving(tmp_path, reload_seconds=0.05) as server, server.client() as client:
        (tmp_path / "b.npz").write_bytes(model_file.read_bytes())
        (tmp_path / "c.npz").write_bytes(b"no model")
        deadline = time.monotonic() + DEADLINE
        while True:
            found = scrape(client)
            name = "softlens_model_reloads_total"
            counts = value(found, name, result="loaded"), value(found, name, result="refused")
            if counts == (1, 1):
                break
            assert time.monotonic() < deadline, counts
        models = {dict(labels)["model"] for name, labels in found if name == "softlens_model_info"}

    assert models == {"a", "b"}


def test_counting_takes_no_memory_that_grows(fresh: Server) -> None:
    body = json.dumps({"inputs": ROWS})
    head = {"content-type": "application/json"}
    resident = []
    with fresh.client() as client:
        for number in range(3000):
            client.post("/predict", content=body, headers=head)
            client.get(f"/absent/{number}")
            if number in {1499, 2999}:
                scrape(client)
                resident.append(fresh.resident())

    assert resident[1] - resident[0] < 2 * 2**20  # what the allocator does is not ours


def test_however_many_scrape_one_thread_writes_for_them(fresh: Server) -> None:
    tasks = Path(f"/proc/{fresh.process.pid}/task")
    if not tasks.exists():
        pytest.skip("needs /proc to count threads")
    connections = [connect(fresh) for _ in range(40)]
    with fresh.client() as client:
        scrape(client)
    before = len(list(tasks.iterdir()))
    for connection in connections:
        connection.sendall(get("/metrics", "Connection: close"))
    statuses = [said.status for connection in connections for said in Reader(connection).all()]
    threads = len(list(tasks.iterdir()))
    for connection in connections:
        connection.close()

    assert statuses == [200] * 40
    assert threads == before
