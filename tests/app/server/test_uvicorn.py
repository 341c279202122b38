"""What app/server reaches into is as it was when it was written.

When a test here fails, uvicorn has changed: read what is new there, see whether app/server still
does the same or more, let tests/attacks and tests/app/server judge, and only then write the new
value here.
"""

import hashlib
import inspect
import tomllib
from importlib.metadata import version

import httptools
import pytest
from uvicorn import Config, Server
from uvicorn.protocols.http import flow_control, httptools_impl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from app.server.beginning import Beginning
from app.server.protocol import Protocol
from tests.serving import ROOT

# SHA-256 of the source, its first 12 digits: of what is overridden, and of what is relied on.
SOURCES = {
    "HttpToolsProtocol.__init__": "4f0899941034",
    "HttpToolsProtocol.connection_made": "6efb565ff3d3",
    "HttpToolsProtocol.connection_lost": "c91a4c9bf2e2",
    "HttpToolsProtocol.eof_received": "5652627579a0",
    "HttpToolsProtocol.data_received": "010a7ae59a5d",
    "HttpToolsProtocol.on_message_begin": "96d377fdc7c2",
    "HttpToolsProtocol.on_url": "37be44e962b0",
    "HttpToolsProtocol.on_header": "65d62c044f61",
    "HttpToolsProtocol.on_headers_complete": "1ea8589acfad",
    "HttpToolsProtocol._start_asgi_task": "9c08c2571ae9",
    "HttpToolsProtocol.on_body": "dba9c32aeba3",
    "HttpToolsProtocol.on_message_complete": "1fbad42dc31f",
    "HttpToolsProtocol.on_response_complete": "64e254f28e38",
    "HttpToolsProtocol.shutdown": "d7351fa33f00",
    "HttpToolsProtocol.pause_writing": "17a8fd215d96",
    "HttpToolsProtocol.resume_writing": "7844bbaa8cce",
    "RequestResponseCycle": "e67d470d435d",
    "FlowControl": "126debcdaa89",
}
PLACES = {
    "HttpToolsProtocol": HttpToolsProtocol,
    "RequestResponseCycle": RequestResponseCycle,
    "FlowControl": flow_control.FlowControl,
}


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_overridden_or_relied_on_has_not_changed(name: str) -> None:
    owner, _, method = name.partition(".")
    found = inspect.getsource(getattr(PLACES[owner], method) if method else PLACES[owner])

    assert hashlib.sha256(found.encode()).hexdigest()[:12] == SOURCES[name]


def test_nothing_new_is_called_by_the_parser_or_the_loop() -> None:
    """A callback that uvicorn adds would go around what is overridden here."""
    found = {name for name in vars(HttpToolsProtocol) if not name.startswith("__")}

    assert found == {
        "_get_upgrade", "_should_upgrade", "_should_upgrade_to_ws", "_start_asgi_task",
        "_unset_keepalive_if_required", "_unsupported_upgrade_warning", "connection_lost",
        "connection_made", "data_received", "eof_received", "handle_websocket_upgrade", "on_body",
        "on_header", "on_headers_complete", "on_message_begin", "on_message_complete",
        "on_response_complete", "on_url", "pause_writing", "resume_writing", "send_400_response",
        "shutdown", "timeout_keep_alive_handler",
    }  # fmt: skip


@pytest.mark.parametrize("kind", [Beginning, Protocol])
def test_the_attributes_that_are_added_are_uvicorns_nowhere(kind: type) -> None:
    theirs = set(vars(HttpToolsProtocol)) | set(_attributes(HttpToolsProtocol))
    ours = set(_attributes(kind)) | {
        name for name in vars(kind) if name.startswith("_") and not name.startswith("__")
    }

    assert theirs & ours <= {"_start_asgi_task"}  # which is overridden


def _attributes(kind: type) -> list[str]:
    """What its constructor sets."""
    words = inspect.getsource(kind.__init__).split()  # type: ignore[misc]  # of this very class
    return [word.removeprefix("self.").rstrip(":") for word in words if word.startswith("self.")]


def test_a_protocol_is_made_with_the_arguments_that_ours_takes() -> None:
    made = inspect.getsource(Server.startup)

    assert "config.http_protocol_class(" in made
    for argument in (
        "config=config",
        "server_state=self.server_state",
        "app_state=",
        "_loop=_loop",
    ):
        assert argument in made


def test_the_state_of_a_server_has_what_is_asked_of_it() -> None:
    state = ServerState()

    assert state.connections == set()
    assert state.default_headers == []
    assert state.total_requests == 0


def test_anything_that_makes_protocols_is_taken_for_one() -> None:
    def make() -> None: ...

    config = Config("nothing", http=make, lifespan="off")  # type: ignore[arg-type]  # as app.server.run
    config.app = lambda: None
    config.load()

    assert config.http_protocol_class is make  # type: ignore[comparison-overlap]


def test_status_lines_are_made_beforehand() -> None:
    assert httptools_impl.STATUS_LINE[431] == b"HTTP/1.1 431 Request Header Fields Too Large\r\n"


@pytest.mark.parametrize(
    "error", [httptools.HttpParserCallbackError, httptools.HttpParserInvalidURLError]
)
def test_errors_of_the_parser_are_of_one_kind(error: type[Exception]) -> None:
    assert issubclass(error, httptools.HttpParserError)
    assert not issubclass(httptools.HttpParserUpgrade, httptools.HttpParserError)


def test_what_a_callback_raises_is_found_again() -> None:
    class Callbacks:
        def on_headers_complete(self) -> None:
            raise LookupError

    with pytest.raises(httptools.HttpParserCallbackError) as caught:
        httptools.HttpRequestParser(Callbacks()).feed_data(b"GET / HTTP/1.1\r\n\r\n")

    assert isinstance(caught.value.__context__, LookupError)


def test_an_upgrade_says_where_the_head_ended() -> None:
    head = b"POST / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n"

    with pytest.raises(httptools.HttpParserUpgrade) as caught:
        httptools.HttpRequestParser(object()).feed_data(head + b"{}")

    assert caught.value.args == (len(head),)


@pytest.mark.parametrize("package", ["uvicorn", "httptools"])
def test_only_minor_versions_that_were_tried_are_allowed(package: str) -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    major, minor = version(package).split(".")[:2]

    (found,) = [line for line in wanted if line.startswith(package)]
    assert found == f"{package}>={major}.{minor},<{major}.{int(minor) + 1}"
