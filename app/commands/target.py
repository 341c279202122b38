"""The server that `softlens bench` asks: what it serves, and what it says of where time goes."""

import http.client
import json
import re
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from app.failures import OptionError, UnreachableError
from app.talk import quoted, shortened

_PATIENCE = 10.0  # seconds for one answer
_MOST_BYTES = 256 * 2**20  # of one answer
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)", re.MULTILINE)
_OK, _NOT_FOUND = 200, 404


class Reply(NamedTuple):
    """An answer, whole."""

    status: int
    body: bytes


class Spent(NamedTuple):
    """What the server has counted so far; times in seconds."""

    requests: float  # answered with 200, on the route that is asked
    duration: float  # of those, from arrival to answer
    inference: float  # what the model took of any
    waiting: float  # for a thread, of any
    cpu: float | None  # of all its processes; only Linux tells

    def since(self, before: "Spent") -> "Spent":
        """What was spent between two readings."""
        cpu = None if self.cpu is None or before.cpu is None else self.cpu - before.cpu
        return Spent(
            self.requests - before.requests,
            self.duration - before.duration,
            self.inference - before.inference,
            self.waiting - before.waiting,
            cpu,
        )


class Model(NamedTuple):
    """What is asked."""

    name: str
    version: str
    features: int


class Target:
    """A server by its address, and the key to it."""

    def __init__(self, url: str, key: str) -> None:
        """Look at the address, and at nothing else.

        Args:
            url: `http://HOST[:PORT]`, perhaps with a path before all of the server's own.
            key: empty for none.

        Raises:
            OptionError: the address is none, or the key cannot be sent.
        """
        wrong = OptionError(
            f"expected a URL such as http://127.0.0.1:8000, got {shortened(url, 80)}"
        )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise wrong from None
        odd = parts.username or parts.query or parts.fragment or not url.isprintable()
        if parts.scheme != "http" or not parts.hostname or odd or not url.isascii() or " " in url:
            raise wrong
        if not key.isascii() or not key.isprintable():
            raise OptionError("expected a key of printable ASCII")
        self.url = url.rstrip("/")
        self.host, self.port = parts.hostname, port or 80
        self.base = parts.path.rstrip("/")
        self._headers = {"Host": parts.netloc}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"

    def model(self, name: str | None) -> Model:
        """The model of that name, or the one that answers by default.

        Raises:
            UnreachableError: nobody answers, or not as softlens does, or the key opens nothing.
            OptionError: there is no such model.
        """
        reply = self.ask("GET", "/models")
        stranger = UnreachableError(f"{self.url}: is not a softlens server")
        if reply.status == _NOT_FOUND:
            raise stranger
        if reply.status != _OK:
            raise UnreachableError(f"{self.url}: GET /models: {reason_of(reply)}")
        try:
            for card in json.loads(reply.body)["models"]:
                newest = card["version"] == card["versions"][-1]
                if card["default"] if name is None else newest and card["name"] == name:
                    return Model(card["name"], card["version"], card["shapes"]["W1"][0])
        except (ValueError, LookupError, TypeError):
            raise stranger from None
        if name is None:
            raise UnreachableError(f"{self.url}: serves no model")
        raise OptionError(f"--model: {quoted(name)} is not served; GET /models tells what is")

    def spent(self, route: str) -> Spent | Reply:
        """What /metrics says of a route; its answer where that is no metrics."""
        reply = self.ask("GET", "/metrics")
        if reply.status != _OK:
            return reply
        wanted = {f'http_route="{route}"', 'http_response_status_code="200"'}
        found = dict.fromkeys(("requests", "duration", "inference", "waiting"), 0.0)
        cpu = None
        for name, labels, value in _SAMPLE.findall(reply.body.decode(errors="replace")):
            fits = wanted <= set(labels.split(","))
            match name:
                case "http_server_request_duration_seconds_count" if fits:
                    found["requests"] += float(value)
                case "http_server_request_duration_seconds_sum" if fits:
                    found["duration"] += float(value)
                case "softlens_inference_seconds_sum":
                    found["inference"] = float(value)
                case "softlens_queue_seconds_sum":
                    found["waiting"] = float(value)
                case "process_cpu_seconds_total":
                    cpu = float(value)
        return Spent(**found, cpu=cpu)

    def request(self, path: str, body: bytes) -> bytes:
        """A POST as it goes over the wire."""
        fields = {**self._headers, "Content-Type": "application/json", "Content-Length": len(body)}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"POST {self.base}{path} HTTP/1.1\r\n{head}\r\n".encode() + body

    def ask(self, method: str, path: str, body: bytes | None = None) -> Reply:
        """One request on a connection of its own.

        Raises:
            UnreachableError: there was no answer.
        """
        headers = self._headers | ({"Content-Type": "application/json"} if body else {})
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_PATIENCE)
        try:
            with closing(connection):
                connection.request(method, f"{self.base}{path}", body, headers)
                response = connection.getresponse()
                reply = Reply(response.status, response.read(_MOST_BYTES))
                if response.read(1):
                    raise UnreachableError(f"{self.url}: answers more than {_MOST_BYTES:,} bytes")
                return reply
        except TimeoutError:
            raise UnreachableError(f"{self.url}: no answer within {_PATIENCE:.0f} s") from None
        except OSError as error:
            raise UnreachableError(f"{self.url}: {error.strerror or error}") from None
        except http.client.HTTPException:
            raise UnreachableError(f"{self.url}: does not answer in HTTP") from None


def path_of(model: str | None) -> str:
    """Where a model is asked; the default one without its name."""
    return "/predict" if model is None else f"/models/{quote(model, safe='')}/predict"


def reason_of(reply: Reply) -> str:
    """Why it is not 200: what a problem says, or only its status."""
    try:
        document: Any = json.loads(reply.body)  # Any: JSON
        return f"{reply.status}: {shortened(document['detail'], 200)}"
    except (ValueError, LookupError, TypeError):
        return f"answered {reply.status}"
