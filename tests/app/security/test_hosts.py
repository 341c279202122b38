"""Names under which a server may be asked."""

import asyncio
from pathlib import Path

import httpx
import pytest

from app.main import create_app
from app.security.hosts import Hosts, is_loopback, loopback_hosts
from app.settings import Settings
from tests.app.security.keyed import slug
from tests.serving import serving

HEALTH = ["/livez", "/readyz", "/healthz", "/ping", "/v2/health/live", "/v2/health/ready"]
OTHERS = ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "128.0.0.1", "x"]


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:8000", "LOCALHOST:1", "localhost.", "localhost.:80", "localhost:",
        "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:8000",
    ],
)  # fmt: skip
def test_the_loopback_has_its_names_with_any_port(host: str) -> None:
    assert Hosts(loopback_hosts("127.0.0.1")).allow(host.encode())


@pytest.mark.parametrize(
    "host",
    [
        *OTHERS, "", ":8000", "localhost:80:80", "localhost:http", "local\thost", "localhost..",
        "localhost@evil.example", "evil.example#localhost", "evil.example/localhost", "[::1",
        "::1", "[::1]evil.example", "[127.0.0.1]", "[::]", "\xfflocalhost", "localhost\n",
        " localhost", "localhost " * 100,
    ],
)  # fmt: skip
def test_nothing_else_is_the_loopback(host: str) -> None:
    hosts = Hosts(loopback_hosts("127.0.0.1"))

    assert not hosts.allow(host.encode("latin-1"))
    assert not hosts.allow(host.encode("latin-1"))  # now that it is known


def test_an_address_that_is_listened_on_is_a_name() -> None:
    assert Hosts(loopback_hosts("127.0.0.2")).allow(b"127.0.0.2:80")
    assert Hosts(loopback_hosts("::1")).allow(b"[::1]:80")


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("a.example.com", True), ("b.A.example.COM:443", True), ("other.org", True),
        ("example.com", False), ("badexample.com", False), ("example.com.evil.org", False),
        ("a.other.org", False), ("x.lan", True),
    ],
)  # fmt: skip
def test_a_star_stands_for_every_name_below(host: str, allowed: bool) -> None:
    assert Hosts(["*.example.com", "Other.org", "*.lan"]).allow(host.encode()) is allowed


def test_what_is_remembered_of_hosts_stays_small() -> None:
    hosts = Hosts(["localhost"])

    for i in range(10_000):
        hosts.allow(b"%d.example" % i)
        hosts.allow(b"x" * 300 + b"%d" % i)

    assert len(hosts._known) <= 1024
    assert max(map(len, hosts._known)) <= 300


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
        ("::", False), ("192.168.0.1", False), ("10.0.0.1", False), ("example.com", False),
    ],
)  # fmt: skip
def test_the_loopback_is_told_from_the_rest(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback


@pytest.mark.parametrize("host", OTHERS)
@pytest.mark.parametrize("path", ["/", "/models", "/docs", "/openapi.json", "/gradient/probe"])
def test_another_name_is_refused_by_a_server_on_the_loopback(
    path: str, host: str, client: httpx.Client
) -> None:
    answer = client.get(path, headers={"host": host})

    assert answer.status_code == 400
    assert slug(answer) == "bad-host"
    assert host not in answer.text.replace("example", "")  # nothing of it comes back


@pytest.mark.parametrize("path", HEALTH)
def test_health_is_told_under_any_name(path: str, client: httpx.Client) -> None:
    assert client.get(path, headers={"host": "10.1.2.3:8000"}).status_code == 200


@pytest.mark.parametrize("path", ["/v2", "/v1/models/fixture"])
def test_other_protocols_get_the_error_they_read(path: str, client: httpx.Client) -> None:
    answer = client.get(path, headers={"host": "evil.example"})

    assert answer.status_code == 400
    assert "SOFTLENS_ALLOWED_HOSTS" in answer.json()["error"]


def test_beyond_the_loopback_any_name_will_do(model_file: Path) -> None:
    settings = Settings(models=model_file, host="0.0.0.0")  # noqa: S104  nobody listens there
    transport = httpx.ASGITransport(create_app(settings))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.get("http://api.example.com/models")

    assert asyncio.run(ask()).status_code == 200


def test_names_that_are_set_are_the_only_ones(model_file: Path) -> None:
    hosts = ("api.example.com", "a.lan:80", "localhost", "example.com")
    with (
        serving(model_file, allowed_hosts="api.example.com, *.lan") as server,
        server.client() as client,
    ):
        found = {host: client.get("/models", headers={"host": host}).status_code for host in hosts}

    assert found == {"api.example.com": 200, "a.lan:80": 200, "localhost": 400, "example.com": 400}


def test_a_star_alone_allows_any_name_on_the_loopback_too(model_file: Path) -> None:
    with serving(model_file, allowed_hosts="localhost,*") as server, server.client() as client:
        assert client.get("/models", headers={"host": "evil.example"}).status_code == 200
