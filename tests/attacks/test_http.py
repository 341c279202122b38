"""Hostile HTTP, byte by byte, each with its promised answer; afterwards the same process is well.

The row names are those of the catalogue in docs/robustness.md. What needs patience is in
test_slow_clients.py, what needs many bytes or connections in test_floods.py.
"""

import json
import re
import socket
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.attacks.raw import (
    LIVE,
    ROW,
    Answer,
    Reader,
    connect,
    get,
    post,
    said,
    staying_well,
)  # fmt: skip
from tests.serving import Server

CHUNKED = (
    b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
CHUNK = b"%x\r\n%s\r\n" % (len(ROW), ROW)


class Row(NamedTuple):
    sent: bytes
    statuses: tuple[int, ...]
    slug: str = ""  # of the last answer
    last: bool = False  # whether the connection closes though nothing was refused


def headers_of(count: int, size: int = 4) -> bytes:
    """A request with so many headers, Host among them, each of so many bytes."""
    lines = [b"X-%05d: %s\r\n" % (i, b"v" * (size - 11)) for i in range(count - 1)]
    return b"GET /livez HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % b"".join(lines)


def header_bytes(size: int) -> bytes:
    """A request whose headers have so many bytes together."""
    host, name = b"Host: localhost\r\n", b"X-Long: "
    return b"GET /livez HTTP/1.1\r\n%s%s%s\r\n\r\n" % (
        host, name, b"v" * (size - len(host) - len(name) - 2),
    )  # fmt: skip


def with_lengths(*values: str) -> bytes:
    lines = "".join(f"Content-Length: {value}\r\n" for value in values)
    return b"POST /predict HTTP/1.1\r\nHost: localhost\r\n%s\r\n{}" % lines.encode()


ROWS = {
    "H1 no Host": Row(b"GET /livez HTTP/1.1\r\n\r\n", (400,), "bad-request"),
    "H1 two Hosts": Row(get("/livez", "Host: localhost"), (400,), "bad-request"),
    "H1 two other Hosts": Row(get("/livez", "HOST: b"), (400,), "bad-request"),
    "H1 no Host in HTTP/1.0": Row(b"GET /livez HTTP/1.0\r\n\r\n", (200,), last=True),
    "H1 two Hosts in HTTP/1.0": Row(
        b"GET /livez HTTP/1.0\r\nHost: localhost\r\nHost: localhost\r\n\r\n", (400,), "bad-request"
    ),
    "H2 a Host with a blank": Row(
        b"GET /livez HTTP/1.1\r\nHost: localhost b\r\n\r\n", (400,), "bad-host"
    ),
    "H2 a Host with a path": Row(
        b"GET /livez HTTP/1.1\r\nHost: localhost/b\r\n\r\n", (400,), "bad-host"
    ),
    "H2 a Host with a user": Row(b"GET /livez HTTP/1.1\r\nHost: u@a\r\n\r\n", (400,), "bad-host"),
    "H2 a Host of another alphabet": Row(
        b"GET /livez HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n", (400,), "bad-host"
    ),
    "H2 an empty Host": Row(b"GET /livez HTTP/1.1\r\nHost:\r\n\r\n", (200,)),
    "H2 an address of version 6": Row(b"GET /livez HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", (200,)),
    "H3 HTTP/2 preface": Row(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400,), "bad-request"),
    "H3 TLS hello": Row(
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), (400,), "bad-request"
    ),
    "H3 GET of HTTP/2.0": Row(
        b"GET /livez HTTP/2.0\r\nHost: localhost\r\n\r\n", (400,), "bad-request"
    ),
    "H3 HTTP/0.9": Row(b"GET /livez\r\n\r\n", (400,), "bad-request"),
    "H3 HTTP/1.2": Row(b"GET /livez HTTP/1.2\r\nHost: localhost\r\n\r\n", (400,), "bad-request"),
    "H3 SSH": Row(b"SSH-2.0-OpenSSH_9.2\r\n", (400,), "bad-request"),
    "H3 NUL bytes": Row(bytes(100), (400,), "bad-request"),
    "H4 Content-Length and chunks": Row(
        post("/predict", "Transfer-Encoding: chunked"), (400,), "bad-request"
    ),
    "H4 chunks and Content-Length": Row(
        CHUNKED[:-2] + b"Content-Length: 5\r\n\r\n0\r\n\r\n", (400,), "bad-request"
    ),
    "H4 two encodings": Row(
        CHUNKED.replace(b": chunked", b": gzip, chunked") + CHUNK + b"0\r\n\r\n",
        (400,),
        "bad-request",
    ),
    "H4 chunked twice": Row(
        CHUNKED[:-2] + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK + b"0\r\n\r\n",
        (400,),
        "bad-request",
    ),
    "H4 an encoding that hides": Row(
        CHUNKED.replace(b": chunked", b": xchunked") + CHUNK, (400,), "bad-request"
    ),
    "H5 two lengths": Row(with_lengths("2", "3"), (400,), "bad-request"),
    "H5 the same length twice": Row(with_lengths("2", "2"), (400,), "bad-request"),
    "H5 lengths in a list": Row(with_lengths("2, 2"), (400,), "bad-request"),
    "H5 a negative length": Row(with_lengths("-2"), (400,), "bad-request"),
    "H5 +2": Row(with_lengths("+2"), (400,), "bad-request"),
    "H5 0x2": Row(with_lengths("0x2"), (400,), "bad-request"),
    "H5 a length of 2^64": Row(with_lengths("18446744073709551616"), (400,), "bad-request"),
    "H5 an empty length": Row(with_lengths(""), (400,), "bad-request"),
    "H6 chunks": Row(CHUNKED + CHUNK + b"0\r\n\r\n", (200,)),
    "H6 chunks of one byte": Row(
        CHUNKED + b"".join(b"1\r\n%c\r\n" % c for c in ROW) + b"0\r\n\r\n", (200,)
    ),
    "H6 trailers": Row(CHUNKED + CHUNK + b"0\r\nContent-Type: text/plain\r\n\r\n", (200,)),
    "H6 a long chunk extension": Row(CHUNKED + b"1;" + b"x" * 100_000, (431,), "headers-too-large"),
    "H6 a long trailer": Row(
        CHUNKED + CHUNK + b"0\r\nX: " + b"x" * 100_000, (431,), "headers-too-large"
    ),
    "H6 many trailers": Row(
        CHUNKED + CHUNK + b"0\r\n" + b"X: y\r\n" * 100_000, (431,), "headers-too-large"
    ),
    "H7 no chunk size": Row(CHUNKED + b"z\r\n{}\r\n", (400,), "bad-request"),
    "H7 a negative chunk size": Row(CHUNKED + b"-1\r\n", (400,), "bad-request"),
    "H7 a chunk size of 2^64": Row(CHUNKED + b"1" + b"0" * 16 + b"\r\n", (400,), "bad-request"),
    "H7 a chunk that is longer": Row(CHUNKED + b"1\r\n{}\r\n0\r\n\r\n", (400,), "bad-request"),
    "H7 a chunk that ends in LF": Row(CHUNKED + b"2\r\n{}\n0\r\n\r\n", (400,), "bad-request"),
    "H8 lines that end in LF": Row(
        b"GET /livez HTTP/1.1\nHost: localhost\n\n", (400,), "bad-request"
    ),
    "H8 a folded header": Row(get("/livez", "X: a\r\n b"), (400,), "bad-request"),
    "H8 a blank before the colon": Row(get("/livez", "X : a"), (400,), "bad-request"),
    "H8 NUL in a value": Row(get("/livez", "X: a\0b"), (400,), "bad-request"),
    "H8 CR in a value": Row(get("/livez", "X: a\rb"), (400,), "bad-request"),
    "H8 a header without a name": Row(get("/livez", ": a"), (400,), "bad-request"),
    "H8 a header without a colon": Row(get("/livez", "X"), (400,), "bad-request"),
    "H8 a blank before the first header": Row(
        b"GET /livez HTTP/1.1\r\n Host: localhost\r\n\r\n", (400,), "bad-request"
    ),
    "H9 a method that is none": Row(
        b"FETCH / HTTP/1.1\r\nHost: localhost\r\n\r\n", (400,), "bad-request"
    ),
    "H9 a method in lower case": Row(
        b"get / HTTP/1.1\r\nHost: localhost\r\n\r\n", (400,), "bad-request"
    ),
    "H9 CONNECT": Row(
        b"CONNECT a:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", (501,), "not-implemented"
    ),
    "H9 CONNECT to a path": Row(
        b"CONNECT /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", (501,), "not-implemented"
    ),
    "H9 OPTIONS *": Row(b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", (404,), "not-found"),
    "H9 blank lines before a request": Row(b"\r\n\r\n" + LIVE, (200,)),
    "H10 100 headers": Row(headers_of(100, 20), (200,)),
    "H10 101 headers": Row(headers_of(101, 20), (431,), "headers-too-large"),
    "H10 1,000 headers": Row(headers_of(1000, 20), (431,), "headers-too-large"),
    "H11 20,000 headers": Row(headers_of(20_000, 20), (431,), "headers-too-large"),
    "H12 headers of 16 KiB": Row(header_bytes(16_384), (200,)),
    "H12 headers of a byte more": Row(header_bytes(16_385), (431,), "headers-too-large"),
    "H12 headers of 1 MB": Row(header_bytes(10**6), (431,), "headers-too-large"),
    "H13 a URL of 8 KiB": Row(get("/livez?" + "q" * (8192 - 7)), (200,)),
    "H13 a URL of a byte more": Row(get("/livez?" + "q" * (8192 - 6)), (414,), "url-too-long"),
    "H13 a path of 70 KB": Row(get("/" + "p" * 70_000), (414,), "url-too-long"),
    "H13 a path without an end": Row(b"GET /" + b"p" * 10**6, (414,), "url-too-long"),
    "H13 a long URL and long headers": Row(
        header_bytes(16_384).replace(b"/livez", b"/livez?" + b"q" * (8192 - 7)), (200,)
    ),
    "H14 a body of 100 MB announced": Row(post(length=10**8, body=b""), (413,), "body-too-large"),
    "H14 a body of 2^63 announced": Row(post(length=2**63, body=b""), (413,), "body-too-large"),
    "H17 more than was announced": Row(
        post(body=ROW + b"and more", length=len(ROW)), (200, 400), "bad-request"
    ),
    "H17 a request behind garbage": Row(
        LIVE + b"garbage\r\n\r\n" + LIVE, (200, 400), "bad-request"
    ),
    "H17 a large head behind a request": Row(
        LIVE + header_bytes(16_385), (200, 431), "headers-too-large"
    ),
    "H17 a bad chunk behind requests": Row(
        LIVE * 3 + CHUNKED + b"z\r\n", (200, 200, 200, 400), "bad-request"
    ),
    "H18 three at once": Row(LIVE + post() + get("/models"), (200, 200, 200)),
    "H18 a whole one and half of the next, later whole": Row(post() * 700, (200,) * 700),
    "H18 bodies of 20 KB": Row(
        post(body=ROW + b" " * 20_000) * 20 + get("/absent"), (*(200,) * 20, 404), "not-found"
    ),
    "H18 the last says it is the last": Row(
        LIVE + get("/livez", "Connection: close") + LIVE, (200, 200), last=True
    ),
    "H19 Expect of something else": Row(get("/livez", "Expect: foo"), (200,)),
    "H26 a malformed traceparent": Row(get("/livez", "traceparent: 00-xyz"), (200,)),
    "H26 ten of them": Row(get("/livez", *["traceparent: " + "0" * 55] * 10), (200,)),
    "H26 a request id of 10 KB": Row(get("/livez", "X-Request-ID: " + "i" * 10_000), (200,)),
    "H27 a Range": Row(get("/docs", "Range: bytes=" + "0-0," * 2000 + "1-1"), (200,)),
    "H27 If-None-Match of junk": Row(get("/docs", "If-None-Match: " + '"x",' * 2000), (200,)),
    "H28 an upgrade to HTTP/2": Row(
        post(
            "/predict", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: A"
        ),
        (200,),
    ),
    "H28 an upgrade to WebSocket": Row(
        post("/predict", "Connection: Upgrade", "Upgrade: websocket"), (200,)
    ),
    "H28 an upgrade of a large body": Row(
        post("/predict", "Connection: Upgrade", "Upgrade: h2c", body=ROW + b" " * 200_000), (200,)
    ),
    "H28 upgrades between others": Row(
        (LIVE + post("/predict", "Connection: Upgrade", "Upgrade: h2c")) * 300, (200,) * 600
    ),
    "H28 an upgrade of chunks": Row(
        CHUNKED[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + CHUNK + b"0\r\n\r\n", (200,)
    ),
    "P10 an absolute URL": Row(get("http://localhost/livez"), (200,)),
    "P10 an absolute URL of another host": Row(get("http://b/livez"), (400,), "bad-host"),
    "P10 an absolute URL with a user": Row(get("http://u@a/livez"), (400,), "bad-host"),
    "P10 an absolute URL without a path": Row(get("http://a"), (400,), "bad-request"),
    "P11 a query of 100 KB": Row(get("/livez?" + "q" * 100_000), (414,), "url-too-long"),
    "P12 bytes beyond ASCII in a path": Row(
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n", (400,), "bad-request"
    ),
    "P12 no path": Row(b"GET livez HTTP/1.1\r\nHost: localhost\r\n\r\n", (400,), "bad-request"),
    "P12 a fragment": Row(get("/livez#x"), (200,)),
}


@pytest.fixture
def well(server: Server) -> Iterator[Server]:
    with staying_well(server):
        yield server


@pytest.mark.parametrize("name", ROWS)
def test_every_exchange_ends_as_promised(name: str, well: Server) -> None:
    with connect(well) as connection:
        exchange(connection, ROWS[name])


def exchange(connection: socket.socket, row: Row) -> None:
    """Send it, and hold what comes against what was promised."""
    connection.sendall(row.sent)
    reader = Reader(connection)
    found = [reader.next() for _ in row.statuses]
    ended = row.last or row.slug not in {"", "not-found"}
    if not ended:
        connection.sendall(LIVE)
    after = reader.next()

    assert [answer and answer.status for answer in found] == list(row.statuses)
    assert after is None if ended else after is not None and after.status == 200
    if row.slug:
        assert found[-1] is not None
        assert_problem(found[-1], row.slug)


def assert_problem(answer: Answer, slug: str) -> None:
    problem = json.loads(answer.body)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"/problems/{slug}"
    assert problem["status"] == answer.status
    assert problem["title"]
    assert problem["detail"]
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", problem["instance"])
    assert ("connection" in answer.headers) == (slug != "not-found")
    assert len(answer.body) <= 600


@pytest.mark.parametrize(
    "path", ["/v2/models/x/infer", "/v2", "/v1/models/x:predict", "/invocations", "/ping?x"]
)
def test_clients_of_other_protocols_read_a_refusal_of_theirs(path: str, well: Server) -> None:
    (answer,) = said(well, get(path, "Host: twice"))

    assert answer.status == 400
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body)["error"] == "expected one Host header, found 2"


def test_a_refusal_of_head_has_no_body(well: Server) -> None:
    with connect(well) as connection:
        connection.sendall(b"HEAD /livez HTTP/1.1\r\n\r\n")
        reader = Reader(connection)
        answer = reader.next(head_only=True)

        assert answer is not None
        assert answer.status == 400
        assert reader.next() is None


def test_no_refusal_repeats_what_was_sent(well: Server) -> None:
    for sent in (
        b"SECRET / HTTP/1.1\r\n\r\n",
        get("/livez", "Host: SECRET"),
        get("http://SECRET/"),
    ):
        (answer,) = said(well, sent)
        assert b"SECRET" not in answer.body
    assert "SECRET" not in "".join(well.stderr)


def test_an_answer_before_the_end_of_a_body_is_the_last(well: Server) -> None:
    """And it is read, though the client sends the whole body before it looks."""
    body = b" " * 20_000_000

    (answer,) = said(well, post(body=body) + LIVE)

    assert answer.status == 413
    assert answer.headers["connection"] == "close"


def test_an_answer_after_the_end_of_a_body_is_not_the_last(well: Server) -> None:
    with connect(well) as connection:
        connection.sendall(post("/absent") + LIVE)
        reader = Reader(connection)

        assert [answer and answer.status for answer in (reader.next(), reader.next())] == [404, 200]


def test_a_body_is_asked_for_when_it_is_wanted(well: Server) -> None:
    head, body = post("/predict", "Expect: 100-continue").split(b"\r\n\r\n")
    with connect(well) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        answer = Reader(connection).next()

    assert answer is not None
    assert answer.status == 200


def test_a_body_that_is_too_large_is_not_asked_for(well: Server) -> None:
    (answer,) = said(well, post("/predict", "Expect: 100-continue", body=b"", length=10**8))

    assert answer.status == 413
