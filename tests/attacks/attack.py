"""One form for every hostile request: what is sent, and the answer that is promised."""

import json
import re
from typing import Any, NamedTuple

import httpx

Headers = tuple[tuple[str, str], ...]
JSON: Headers = (("content-type", "application/json"),)
CSV: Headers = (("content-type", "text/csv"),)


class Attack(NamedTuple):
    """A request and its promised answer. The names of tables are rows of docs/robustness.md."""

    path: str  # as it stands in the request, escapes and all
    body: bytes = b""
    status: int = 200
    slug: str = ""  # of the problem
    pointer: str = ""  # of the first cell to blame, where one is
    words: str = ""  # that the answer has
    method: str = "POST"
    headers: Headers = JSON


def as_json(value: Any) -> bytes:  # Any: what JSON can hold
    """A body that is right as JSON, whatever it says."""
    return json.dumps(value).encode()


def perform(client: httpx.Client, attack: Attack) -> httpx.Response:
    """Send it, and hold the answer against what was promised."""
    answer = client.request(
        attack.method,
        "/",
        content=attack.body,
        headers=list(attack.headers),
        extensions={
            "target": attack.path.encode("latin-1")
        },  # as it is, not as httpx would have it
    )

    assert answer.status_code == attack.status, answer.text[:500]
    assert attack.words in answer.text
    if attack.status != 200 and attack.method != "HEAD":
        assert len(answer.content) <= 4096
        if re.match(r"/v[12]|/invocations|/ping", attack.path):
            _assert_error(answer, attack)
        else:
            _assert_problem(answer, attack)
    return answer


def _assert_problem(answer: httpx.Response, attack: Attack) -> None:
    """What our own routes say."""
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"/problems/{attack.slug}"
    assert problem["status"] == attack.status
    assert problem["title"]
    assert problem["detail"]
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", problem["instance"])
    if attack.pointer:
        assert problem["errors"][0]["pointer"] == attack.pointer


def _assert_error(answer: httpx.Response, attack: Attack) -> None:
    """What is said under other people's protocols."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]
    if attack.slug:
        assert answer.json()["type"] == f"/problems/{attack.slug}"
