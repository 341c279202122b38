"""Strangers at a guarded server: what they send opens no file, and is not written down."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.app.security.keyed import KEYS, bearing, keyed
from tests.serving import DEADLINE, Server

# Paths that a name must never become. As they are sent, percent and all.
NAMES = [
    "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "..%5c..%5cetc", "%2fetc%2fpasswd", "a%2fb", "a/b",
    "%00", "fixture%00", "fixture.npz", "%ff", "%c0%ae%c0%ae", ".hidden", "con", "~root", "$HOME",
    "file:%2f%2f%2fetc%2fpasswd", "http:%2f%2flocalhost%2fx", "%0d%0aX-Evil:%201", "%1b%5b2J",
    "%3Cscript%3E", "*", "fixture%20", "FIXTURE", "n" * 5000, "%e2%80%ae", quote("\N{SNOWMAN}"),
]  # fmt: skip
ROUTES = [
    ("GET", "/models/{}"), ("POST", "/models/{}/predict"),
    ("POST", "/models/fixture/versions/{}/predict"), ("POST", "/models/{}/gradient"),
    ("GET", "/v2/models/{}"), ("GET", "/v2/models/fixture/versions/{}/ready"),
    ("POST", "/v2/models/{}/infer"), ("POST", "/v2/repository/models/{}/unload"),
    ("GET", "/v1/models/{}"), ("POST", "/v1/models/{}:predict"),
]  # fmt: skip
# Tells the log of every file that is opened or looked at, once the server answers.
_TELLING = """
import sys, threading
from app.server import run
telling = threading.Event()
def tell(event, arguments):
    if telling.is_set() and event in ("open", "os.listdir", "os.scandir", "import"):
        print("TOUCHED", ascii(arguments), file=sys.stderr, flush=True)
sys.addaudithook(tell)
{planted}
run.serve({{}}, lambda url: telling.set())
"""
_PLANTED = """
from app.service import Service
model = Service.model
def careless(self, named):
    try:
        open("/models/" + named.get("name", "x").replace(chr(0), "")).close()
    except OSError:
        pass
    return model(self, named)
Service.model = careless
"""
SECRETS = {
    "key": "s3cret-key-that-nobody-has",
    "value": "31337.4242",
    "text": "s3cret-text-in-a-body",
    "feature": "s3cret_feature",
}


def sent_raw(server: Server, request: bytes) -> bytes:
    """The answer to bytes that no client library would send."""
    parts = urlsplit(server.url)
    address = (str(parts.hostname), int(parts.port or 0))
    with socket.create_connection(address, timeout=DEADLINE) as connection:
        connection.sendall(request)
        return connection.makefile("rb").read()


def ask_for_all_names(server: Server) -> list[int]:
    """The statuses of every hostile name on every route, sent as it stands."""
    statuses = []
    for method, route in ROUTES:
        for name in NAMES:
            head = (
                f"{method} {route.format(name)} HTTP/1.1\r\nHost: localhost\r\n"
                f"X-API-Key: {KEYS['all']}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            answer = sent_raw(server, head.encode())
            assert b"x-evil" not in answer.partition(b"\r\n\r\n")[0].lower().replace(b"detail", b"")
            statuses.append(int(answer.split()[1]))
    return statuses


@pytest.mark.parametrize(("planted", "opens"), [("", False), (_PLANTED, True)])
def test_a_name_is_looked_up_and_never_opened(
    planted: str, opens: bool, model_file: Path, tmp_path: Path
) -> None:
    """The second row is the control: a server that joins names into paths is noticed."""
    program = _TELLING.format(planted=planted)
    with keyed(model_file, tmp_path, program, reload_seconds=0) as server:
        statuses = ask_for_all_names(server)
        server.stop()

    touched = [line for line in server.stderr if line.startswith("TOUCHED")]
    # Keys are read again once a second; on behalf of no name.
    others = [line for line in touched if str(tmp_path / "keys") not in line]
    assert bool(others) is opens, others[:5]
    assert set(statuses) <= {400, 403, 404, 405, 414, 415}


@pytest.fixture(scope="module")
def attacked(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with keyed(model_file, tmp_path_factory.mktemp("keys"), model_control="on") as server:
        yield server


def hostile(key: str) -> list[tuple[str, str, dict[str, str], bytes]]:
    """Requests that are full of what must not be written down, right and wrong ones."""
    header = {"x-api-key": key, "content-type": "application/json"}
    rows = json.dumps({"inputs": [[1, 2, 3, float(SECRETS["value"])]]}).encode()
    wrong = json.dumps({"inputs": [[1, 2, SECRETS["text"], float(SECRETS["value"])]]}).encode()
    record = json.dumps({"records": [{SECRETS["feature"]: 1}]}).encode()
    return [
        (method, path, headers, body)
        for body in (rows, wrong, record, SECRETS["text"].encode(), rows[:-3])
        for method, path in [
            ("POST", "/predict"), ("POST", "/gradient"), ("POST", "/gradient/check"),
            ("POST", "/invocations"), ("POST", "/v2/models/fixture/infer"),
            ("POST", "/v2/repository/models/fixture/load"), ("GET", f"/models/{SECRETS['text']}"),
            ("PUT", f"/models?key={key}"),
        ]
        for headers in (
            header,
            header | {"x-request-id": f"{SECRETS['text']}\x1b[2J"},
            {"authorization": f"Bearer {key}", "cookie": SECRETS["text"]},
        )
    ]  # fmt: skip


@pytest.mark.parametrize("key", [SECRETS["key"], KEYS["all"]])
def test_no_key_no_body_and_no_value_is_in_the_log(key: str, attacked: Server) -> None:
    with attacked.client() as client:
        for method, path, headers, body in hostile(key):
            raw = {name.encode(): value.encode() for name, value in headers.items()}
            answer = client.request(method, path, headers=raw, content=body)
            assert answer.status_code < 500
            assert key not in answer.text + str(answer.headers)

    log = "".join(attacked.stderr)
    for secret in (*SECRETS.values(), *KEYS.values()):
        assert secret not in log
    assert log.count("\n") == log.count("INFO ") + log.count("WARNING ")


@pytest.mark.parametrize(
    "sent", [b"<script>alert(1)</script>", b"a\tb", b"\x80\xff", b"x" * 5000, b"{}", b"a;b", b"a b"]
)
def test_an_id_that_is_not_safe_does_not_come_back(sent: bytes, attacked: Server) -> None:
    with attacked.client() as client:
        answer = client.get("/livez", headers={b"x-request-id": sent})

    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-request-id"])


@pytest.mark.parametrize(
    "label", ["<img src=x onerror=alert(1)>", "\x1b[2J\r\nX-Evil: 1", "</script>", "\N{SNOWMAN}"]
)
def test_a_label_comes_back_as_json_that_no_browser_runs(label: str, attacked: Server) -> None:
    """Refused without being repeated; and were it, as JSON that is not taken for a page."""
    body = {"inputs": [[1, 2, 3, 4]], "of": "loss", "labels": [label]}
    with attacked.client() as client:
        answer = client.post("/gradient", json=body, headers=bearing("all"))

    assert answer.status_code == 422
    assert label not in answer.text
    assert "x-evil" not in answer.headers
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "target", ["http://evil.example/models", "http://localhost@evil.example/models"]
)
def test_a_whole_address_in_the_request_line_is_no_way_around_the_guards(
    target: str, attacked: Server
) -> None:
    answer = sent_raw(
        attacked, f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    )

    assert answer.split()[1] in {b"400", b"401"}


@pytest.mark.parametrize(
    "path", ["//livez/../models", "/livez/../models", "/livez%2f..%2fmodels", "/livez;/models",
             "/models%00/livez", "/%6dodels", "/MODELS", "/models/", "/./models", "/livez?/models"],
)  # fmt: skip
def test_no_way_of_writing_a_path_leads_past_the_keys(path: str, attacked: Server) -> None:
    answer = sent_raw(
        attacked, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    )

    assert b'"models":[' not in answer


@pytest.mark.parametrize(
    ("host", "status"), [("evil.example", 400), ("localhost", 200), ("127.0.0.1:9", 200)]
)
def test_dns_that_is_bound_anew_does_not_make_a_page_a_friend(
    host: str, status: int, client: httpx.Client
) -> None:
    answer = client.get("/models", headers={"host": host})

    assert answer.status_code == status
