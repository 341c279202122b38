"""softlens bench, where there is nothing to measure: one line, and an exit code."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from model import save_artifact
from tests.app.test_cli import softlens
from tests.model.artifacts import make_artifact
from tests.serving import serving

Answering = Callable[[bytes], bytes]  # the head of a request: all of the answer, or nothing


@contextmanager
def stranger(answer: Answering) -> Iterator[str]:
    """A server of another kind, which ends each connection after one answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        thread = threading.Thread(target=_answer_all, args=(listener, answer))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _answer_all(listener: socket.socket, answer: Answering) -> None:
    while True:
        try:
            connection = listener.accept()[0]
        except OSError:
            return
        with closing(connection):
            connection.sendall(answer(connection.recv(65_536)))


def json_of(document: object) -> bytes:
    content = json.dumps(document).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(content), content)


CARD = {
    "name": "m", "version": "1", "versions": ["1"], "default": True, "shapes": {"W1": [2, 3]},
}  # fmt: skip


def leaving(head: bytes) -> bytes:
    """Much like softlens, but it ends connections."""
    return json_of({"models": [CARD] if head.startswith(b"GET /models") else []})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda _: json_of({"hello": "world"}), "is not a softlens server"),
        (lambda _: json_of([1]), "is not a softlens server"),
        (lambda _: b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "is not a softlens"),
        (lambda _: b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", "GET /models: answered 500"),
        (lambda _: b"SSH-2.0-OpenSSH\r\n", "does not answer in HTTP"),
        (lambda _: json_of({"models": []}), "serves no model"),
        (leaving, "1 connections: a connection ended"),
    ],
)
def test_what_is_no_softlens_server_is_told_in_one_line(answer: Answering, reason: str) -> None:
    with stranger(answer) as url:
        done = softlens("bench", url)

    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr.splitlines()[-1].startswith(f"softlens: {url}: {reason}")
    assert len([line for line in done.stderr.splitlines() if line.startswith("softlens:")]) == 1


def test_a_server_that_is_not_there_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    done = softlens("bench", f"http://127.0.0.1:{port}")

    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr == f"softlens: http://127.0.0.1:{port}: Connection refused\n"


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8000", "https://localhost", "http://", "http://h:99999", "http://a b",
            "http://u@h", "http://h?x=1", "http://h\x1b"],
)  # fmt: skip
def test_an_address_of_no_use_is_told_in_one_line(url: str) -> None:
    done = softlens("bench", url)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("softlens: expected a URL such as http://127.0.0.1:8000, got ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("--model", "absent"), 2, "--model: 'absent' is not served"),
        (("--rows", 2, "--body", "x"), 2, "expected --rows or --body, not both"),
        (("--rows", 100_000, "--model", "wide"), 2, "--rows: expected at most 5000 rows"),
        (("--body", "absent.json"), 66, "absent.json: No such file"),
        (("--key-file", "absent"), 66, "absent: No such file"),
        (("--key-file", "/dev/null"), 65, "/dev/null: expected an API key in its first line"),
    ],
)
def test_options_of_no_use_are_told_in_one_line(
    arguments: tuple[object, ...], code: int, reason: str, tmp_path: Path
) -> None:
    shape = (2000, 1, 2)
    save_artifact(tmp_path / "wide.npz", make_artifact(np.random.default_rng(0), shape=shape))
    with serving(tmp_path) as server:
        done = softlens("bench", server.url, *arguments)

    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(f"softlens: {reason}")
    assert done.stderr.count("\n") == 1
