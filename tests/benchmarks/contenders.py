"""A server that is measured: how it starts, and how it is asked. Ours, and the limits."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from tests.benchmarks import environments
from tests.benchmarks.processes import Question, Server, free_ports, running
from tests.benchmarks.workloads import BATCH, Net, Workload
from tests.serving import DEADLINE, ROOT, environment

HELLO, RAW, OURS, NAIVE = "hello", "forward pass alone", "softlens", "FastAPI, naive"
LOGGED, BARE = "softlens, with a log line each", "softlens, without guards"
APPS = "tests.benchmarks.apps"


class Place(NamedTuple):
    """Where a server runs."""

    python: str  # the interpreter of its environment
    port: int
    folder: Path  # of its own, for what it needs on disk
    net: Net

    def program(self, name: str) -> str:
        """A command of its environment."""
        return str(Path(self.python).with_name(name))


class Body(NamedTuple):
    """What is posted."""

    content: bytes
    json_length: int | None = None  # of what comes before a binary tensor


class Contender(NamedTuple):
    """A server and its protocol."""

    name: str
    command: Callable[[Place], Sequence[str]]
    path: str = "/predict"
    body: Callable[[Workload], Body] = lambda asked: in_json(inputs=asked.inputs)
    # The probabilities in an answer; None where there are none.
    read: Callable[[bytes], Any] | None = lambda answer: orjson.loads(answer)["probabilities"]
    environment: str = ""  # of a peer; empty for ours
    variables: Callable[[Place], dict[str, str]] = lambda place: {}
    prepare: Callable[[Place], Sequence[str]] | None = None  # a command to run before

    def python(self) -> str:
        """The interpreter that it runs in.

        Raises:
            LookupError: it is not installed; the message says why.
        """
        return environments.python(self.environment) if self.environment else sys.executable

    def question(self, asked: Workload) -> Question:
        """What is posted to it."""
        return Question(self.path, *self.body(asked))


def in_json(**document: Any) -> Body:
    """Arrays as lists of numbers."""
    return Body(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY))


def in_binary(asked: Workload, **wanted: Any) -> Body:
    """A tensor of the Open Inference Protocol, and its values as bytes behind the JSON."""
    inputs = asked.inputs.astype(np.float32)
    tensor = tensor_of(asked) | {"parameters": {"binary_data_size": inputs.nbytes}}
    head = orjson.dumps({"inputs": [tensor]} | wanted)
    return Body(head + inputs.tobytes(), len(head))


def tensor_of(asked: Workload) -> dict[str, Any]:
    return {"name": "inputs", "datatype": "FP32", "shape": asked.inputs.shape}


def floats(answer: bytes) -> Any:
    """The ten float32 of each row, behind the JSON if there is any."""
    return np.frombuffer(answer[-BATCH * 10 * 4 :], np.float32)


def module(name: str) -> Callable[[Place], Sequence[str]]:
    """A program of ours that takes its port as its only argument."""
    return lambda place: (place.python, "-m", f"{APPS}.{name}", str(place.port))


def softlens(name: str, program: str = "app.server", **settings: object) -> Contender:
    """Ours, with these settings."""
    return Contender(
        name,
        lambda place: (place.python, "-m", program),
        variables=lambda place: environment(models=place.net.artifact, port=place.port, **settings),
    )


def uvicorn(app: str) -> Callable[[Place], Sequence[str]]:
    """An application of ours on uvicorn."""
    options = ("--host", "127.0.0.1", "--no-access-log", "--log-level", "warning", "--port")
    return lambda place: (
        place.python, "-m", "uvicorn", f"{APPS}.{app}:app", *options, str(place.port),
    )  # fmt: skip


LIMIT = Contender(HELLO, module("hello"), read=None)
SOFTLENS = softlens(OURS)
FASTAPI = Contender(NAIVE, uvicorn("naive"))
VARIANTS = (
    softlens(LOGGED, request_log="all", log_format="json"),
    softlens(BARE, f"{APPS}.unguarded"),
)
FORWARD = Contender(
    RAW,
    module("raw"),
    body=lambda asked: Body(asked.inputs.astype(np.float32).tobytes()),
    read=floats,
)
BINARY = SOFTLENS._replace(
    path="/v2/models/digits/infer",
    body=lambda asked: in_binary(
        asked, outputs=[{"name": "probabilities", "parameters": {"binary_data": True}}]
    ),
    read=floats,
)


@contextmanager
def serving(contender: Contender, asked: Workload) -> Generator[Server, None, None]:
    """A contender that has given the right answer once, until the block ends.

    Raises:
        LookupError: it is not installed.
        RuntimeError: it does not start, or answers wrongly.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Place(contender.python(), free_ports(1)[0], Path(folder), asked.net)
        variables = environment() | {"WEIGHTS": str(asked.net.weights)} | contender.variables(place)
        if contender.prepare:
            subprocess.run(
                contender.prepare(place), cwd=ROOT, env=variables, timeout=DEADLINE, check=True
            )
        question = contender.question(asked)
        with running(contender.command(place), place.port, question, **variables) as server:
            if contender.read:
                found = np.asarray(contender.read(server.answer)).reshape(asked.expected.shape)
                if not np.allclose(found, asked.expected, rtol=0, atol=1e-4):
                    raise RuntimeError("expected the probabilities of the network, got others")
            yield server
