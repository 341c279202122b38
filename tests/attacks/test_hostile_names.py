"""Names in a model, and in requests, that are meant for a browser, a terminal or a log."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest

from model import save_artifact
from tests.long import times
from tests.model.artifacts import make_artifact
from tests.serving import DEADLINE, Server, serving

MARKUP = "<img src=x onerror=alert(1)>"
NAMES = [
    MARKUP,
    "</script><script>alert(1)</script>",
    "\x1b]0;owned\x07\x1b[2J",
    "two\r\nlines: yes",
    "\0",
    "\u202eleft to right",
    "'\"`${7*7}{{7*7}}",
    "=1+1",
]
FEATURES = [f"{name}{i}" for i, name in enumerate(NAMES)]
RECORD = dict.fromkeys(FEATURES, 1.0)
FEW = 5 * 2**20  # bytes of memory that may be lost to names that are not known


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = tmp_path_factory.mktemp("hostile") / "hostile.npz"
    shape = (len(FEATURES), 7, len(NAMES))
    artifact = make_artifact(
        np.random.default_rng(1), shape=shape, features=FEATURES, classes=NAMES, name=MARKUP
    )
    save_artifact(path, artifact)
    with serving(path) as server:
        yield server


@pytest.fixture
def asked(named: Server) -> Iterator[httpx.Client]:
    with named.client() as client:
        yield client


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", {"records": [RECORD]}),
        ("/predict", {"records": [RECORD | {FEATURES[0]: "1"}]}),
        ("/predict", {"records": [{}]}),
        ("/predict", {"records": [RECORD | {MARKUP: 1}]}),
        ("/gradient", {"inputs": [[1] * 8], "of": "loss", "labels": [NAMES[3]]}),
        ("/gradient", {"inputs": [[1] * 8], "of": "loss", "labels": ["x"]}),
        ("/gradient/trace", {"inputs": [[1] * 8], "labels": [MARKUP]}),
        ("/v1/models/hostile:explain", {"instances": [RECORD]}),
        ("/invocations", {"dataframe_split": {"columns": FEATURES[::-1], "data": [[1] * 8]}}),
        ("/models/hostile", None),
        ("/models", None),
        ("/openapi.json", None),
        ("/v2/models/hostile", None),
        ("/v2/models/hostile/config", None),
        ("/", None),
    ],
)
def test_a_name_is_data_wherever_it_comes_out(
    path: str, body: dict[str, object] | None, asked: httpx.Client, named: Server
) -> None:
    answer = asked.get(path) if body is None else asked.post(path, json=body)

    kind = answer.headers["content-type"].partition(";")[0]
    assert kind in {"application/json", "application/problem+json", "text/html"}
    if kind == "text/html":
        assert MARKUP not in answer.text
    else:
        answer.json()
    # Nothing of a name in a header, and no control character that JSON would have escaped.
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not any("lines" in value or "<img" in value for value in answer.headers.values())
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f]", answer.text) is None
    assert_quiet(named.stderr)


def test_classes_come_back_as_they_are(asked: httpx.Client) -> None:
    answer = asked.post("/predict", json={"records": [RECORD]}).json()

    assert answer["classes"] == NAMES
    assert answer["labels"][0] in NAMES


@pytest.mark.parametrize(
    "target",
    [
        b"/models/%1b%5b2J/predict", b"/a%0d%0aERROR%20forged", b"/%00", b"/models/%E2%80%AE",
        b"/v2/models/" + b"%0a" * 100, b"/predict?a=%0d%0aERROR%20forged",
    ],
)  # fmt: skip
def test_no_line_of_a_log_is_forged(target: bytes, client: httpx.Client, server: Server) -> None:
    hostile = {"x-request-id": "a\tb", "user-agent": "\x7f{{7*7}}", "traceparent": "00-%0a"}
    said = len(server.stderr)

    answer = client.request("GET", "/", extensions={"target": target}, headers=hostile)

    assert answer.status_code in {400, 404, 405}
    assert "\x7f" not in str(answer.headers)
    assert_quiet(server.stderr[said:])


def assert_quiet(said: list[str]) -> None:
    """Every line that was logged is a line of ours, with nothing that a terminal obeys."""
    for line in said:
        assert line.removesuffix("\n").isprintable(), line
        assert not line.startswith("ERROR"), line


def ask_for_names(server: Server, first: int, count: int) -> None:
    """So many requests for models that are not there, each of another name."""
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=DEADLINE) as connection:
        stream = connection.makefile("rb")
        for start in range(first, first + count, 50):
            numbers = range(start, min(start + 50, first + count))
            connection.sendall(
                b"".join(
                    b"GET /v2/models/m%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % i for i in numbers
                )
            )
            for _ in numbers:
                assert stream.readline().startswith(b"HTTP/1.1 404")
                length = 0
                while (line := stream.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                stream.read(length)


def grown(server: Server, count: int) -> int:
    """Bytes that so many unknown names cost, after as many that warm the process up."""
    ask_for_names(server, 0, 1_000)
    before = server.resident()
    ask_for_names(server, 1_000, count)
    return server.resident() - before


def test_names_that_are_not_known_leave_nothing_behind(server: Server) -> None:
    assert grown(server, times(3_000, 1_000_000)) <= FEW


def test_a_planted_leak_is_noticed(model_file: Path) -> None:
    """The control: 4 KB kept for each name are found in the same way."""
    program = (
        "from app.service import Service\n"
        "from app.server.run import serve\n"
        "kept, model = [], Service.model\n"
        "def leaking(self, named):\n"
        "    kept.append(bytearray(4096))\n"
        "    return model(self, named)\n"
        "Service.model = leaking\n"
        "serve({})\n"
    )
    with serving(model_file, program=program) as server:
        assert grown(server, 3_000) > FEW
