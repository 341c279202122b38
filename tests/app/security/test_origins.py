"""Pages of other origins: what their browsers are told."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.app.security.keyed import KEYS, bearing, keyed
from tests.serving import Server

PAGE = "https://app.example.com"
ROW = {"inputs": [[1.0, 2.0, 3.0, 4.0]]}


@pytest.fixture(scope="module")
def shared(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    origins = f"{PAGE}, http://localhost:3000"
    with keyed(model_file, tmp_path_factory.mktemp("keys"), cors_origins=origins) as server:
        yield server


@pytest.fixture
def across(shared: Server) -> Iterator[httpx.Client]:
    with shared.client() as client:
        yield client


def preflight(client: httpx.Client, origin: str, **wanted: str) -> httpx.Response:
    """The question that a browser asks before a request with headers of its own."""
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type",
    }
    return client.options("/predict", headers=headers | wanted)


def shares(answer: httpx.Response) -> bool:
    return any(name.startswith("access-control-") for name in answer.headers)


def test_no_page_elsewhere_is_told_anything_by_default(client: httpx.Client) -> None:
    asked = client.get("/models", headers={"origin": PAGE})
    before = preflight(client, PAGE)

    assert not shares(asked)
    assert not shares(before)
    assert before.status_code == 405


def test_a_page_of_a_listed_origin_may_ask_with_a_key(across: httpx.Client) -> None:
    before = preflight(across, PAGE)
    after = across.post("/predict", json=ROW, headers=bearing("predict") | {"origin": PAGE})

    assert before.status_code == 200  # without a key: browsers send none here
    assert before.headers["access-control-allow-origin"] == PAGE
    assert before.headers["access-control-allow-methods"] == "GET, POST"
    assert "authorization" in before.headers["access-control-allow-headers"]
    assert after.status_code == 200
    assert after.headers["access-control-allow-origin"] == PAGE
    assert "x-request-id" in after.headers["access-control-expose-headers"]


def test_refusals_can_be_read_too(across: httpx.Client) -> None:
    answer = across.post("/predict", json=ROW, headers={"origin": PAGE})

    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://app.example.com", f"{PAGE}:8443", "null", f"{PAGE}."]
)
def test_no_other_origin_may(origin: str, across: httpx.Client) -> None:
    before = preflight(across, origin)
    after = across.post("/predict", json=ROW, headers=bearing("predict") | {"origin": origin})

    assert before.status_code == 400
    assert "access-control-allow-origin" not in before.headers
    assert "access-control-allow-origin" not in after.headers


@pytest.mark.parametrize("origin", [PAGE, "https://evil.example", None])
def test_caches_are_told_that_answers_differ_by_origin(
    origin: str | None, across: httpx.Client
) -> None:
    answer = across.get("/docs", headers={"origin": origin} if origin else {})

    assert "Origin" in answer.headers["vary"]


def test_browsers_are_never_told_to_send_what_they_keep(across: httpx.Client) -> None:
    """No cookies and no passwords: keys are sent on purpose, or not at all."""
    before = preflight(across, PAGE)
    after = across.get("/models", headers={"origin": PAGE, "x-api-key": KEYS["predict"]})

    assert "access-control-allow-credentials" not in before.headers
    assert "access-control-allow-credentials" not in after.headers


def test_another_method_or_header_is_not_allowed(across: httpx.Client) -> None:
    assert preflight(across, PAGE, **{"access-control-request-method": "DELETE"}).is_error
    assert preflight(across, PAGE, **{"access-control-request-headers": "x-evil"}).is_error


def test_what_a_browser_asks_beforehand_passes_the_gate(across: httpx.Client) -> None:
    """It has an id and is counted, and names of other hosts are refused."""
    counted = 'softlens_requests_total{code="200",route="unmatched"}'
    before = number(across, counted)
    answer = preflight(across, PAGE, **{"x-request-id": "asked-before"})
    elsewhere = preflight(across, PAGE, host="evil.example")

    assert answer.headers["x-request-id"] == "asked-before"
    assert number(across, counted) == before + 1
    assert elsewhere.status_code == 400
    assert elsewhere.json()["type"] == "/problems/bad-host"


def number(client: httpx.Client, name: str) -> float:
    text = client.get("/metrics", headers=bearing("all")).text
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))
