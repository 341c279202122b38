"""A binary tensor in and one out, against a server that does nothing but the forward pass.

The network was trained on the shipped digits, enlarged to the 784 pixels of a usual image, and is
asked about digits: rows of which a network is not sure are computed a second time, in float64.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from model import save_artifact
from model.data import Dataset, load_digits
from model.training import Plan, fit
from tests.benchmarks.machine import circumstances
from tests.benchmarks.markdown import Requirement, paragraphs, table, verdicts
from tests.benchmarks.processes import RAW, SERVER, Running, cpu_seconds, running
from tests.benchmarks.timing import ratio, spread
from tests.serving import DEADLINE, ROOT, environment

ROWS, SIDE = 128, 28
FEATURES = SIDE * SIDE
CONNECTIONS = 4
SECONDS = 1.0  # of load for one measurement
WANTED = 0.8  # of the limit's throughput
LIMIT, OURS, JSON = "forward pass alone", "softlens, binary", "softlens, JSON"


Pixels = NDArray[np.uint8 | np.float32 | np.float64]  # (N, FEATURES)


class Question(NamedTuple):
    """What is posted, and to whom."""

    server: Running
    body: bytes
    arguments: tuple[str, ...]  # of tests.benchmarks.load: the path, and the length of JSON


class Measurement(NamedTuple):
    """A second of load."""

    rate: float  # requests a second
    cpu: float  # seconds of the server for one request
    median: float  # seconds of latency
    p99: float


def run(quick: bool) -> str:
    repetitions = 2 if quick else 15
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "digits.npz"
        digits = _enlarged(load_digits())
        save_artifact(model, fit(digits, Plan(epochs=10), "digits").artifact)
        with running(RAW, models=model) as raw, running(SERVER, models=model) as ours:
            found = _measure(_questions(raw, ours, digits.inputs[:ROWS]), repetitions)

    rates = {name: [one.rate for one in measurements] for name, measurements in found.items()}
    share = ratio(rates[OURS], rates[LIMIT])
    met = share >= WANTED
    need = Requirement(
        "binary throughput, ours / forward pass alone", f"at least {WANTED}", f"{share:.2f}", met
    )
    return paragraphs(
        circumstances("numpy", "uvicorn", "uvloop", "httptools", "fastapi"),
        f"{ROWS} x {FEATURES} float32 in, {ROWS} x 10 probabilities out, a trained network "
        f"{FEATURES}-128-10, one server process, {CONNECTIONS} connections kept alive. Median "
        f"(lowest to highest) of {repetitions} runs of {SECONDS:.0f} s each.",
        table(
            ("server", "requests a second", "/ limit", "CPU us a request", "median, us", "p99, us"),
            [_row(name, found[name], rates) for name in found],
        ),
        verdicts([need]),
    )


def _enlarged(digits: Dataset) -> Dataset:
    """The digits of 8 x 8 pixels as 28 x 28, of which a part of the margin is cut off."""
    images = digits.inputs.reshape(-1, 8, 8).repeat(4, axis=1).repeat(4, axis=2)
    images = images[:, 2:-2, 2:-2].reshape(-1, FEATURES)
    kinds = np.zeros(FEATURES, digits.kinds.dtype)
    return digits._replace(inputs=images, features=None, kinds=kinds)


def _questions(raw: Running, ours: Running, pixels: Pixels) -> dict[str, Question]:
    inputs = pixels.astype(np.float32)
    tensor = {"name": "inputs", "datatype": "FP32", "shape": inputs.shape}
    wanted = {"name": "probabilities", "parameters": {"binary_data": True}}
    size = {"parameters": {"binary_data_size": inputs.nbytes}}
    head = orjson.dumps({"inputs": [tensor | size], "outputs": [wanted]})
    in_json = orjson.dumps(
        {"inputs": [tensor | {"data": inputs.ravel()}]}, option=orjson.OPT_SERIALIZE_NUMPY
    )
    path = "/v2/models/digits/infer"
    return {
        LIMIT: Question(raw, inputs.tobytes(), ()),
        OURS: Question(ours, head + inputs.tobytes(), (path, str(len(head)))),
        JSON: Question(ours, in_json, (path,)),
    }


def _measure(questions: dict[str, Question], repetitions: int) -> dict[str, list[Measurement]]:
    """They take turns; a first turn of each does not count."""
    found: dict[str, list[Measurement]] = {name: [] for name in questions}
    for _ in range(1 + repetitions):
        for name, question in questions.items():
            found[name].append(_measurement(question))
    return {name: measurements[1:] for name, measurements in found.items()}


def _measurement(question: Question) -> Measurement:
    place = (str(question.server.port), str(CONNECTIONS), str(SECONDS))
    before = cpu_seconds(question.server.pid)
    answer = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.load", *place, *question.arguments],
        cwd=ROOT,
        env=environment(),
        input=question.body,
        stdout=subprocess.PIPE,
        timeout=DEADLINE,
        check=True,
    ).stdout
    used = cpu_seconds(question.server.pid) - before

    seen = json.loads(answer)
    requests = seen["requests"]
    return Measurement(requests / seen["seconds"], used / requests, seen["median"], seen["p99"])


def _row(name: str, found: list[Measurement], rates: dict[str, list[float]]) -> tuple[str, ...]:
    return (
        name,
        spread([one.rate for one in found], digits=0),
        f"{ratio(rates[name], rates[LIMIT]):.2f}",
        spread([one.cpu for one in found], scale=1e6, digits=0),
        f"{1e6 * median(one.median for one in found):.0f}",
        f"{1e6 * median(one.p99 for one in found):.0f}",
    )
