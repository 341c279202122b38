"""Bytes of a body to one float64 array: ours against the usual ways, and against simdjson alone.

Ours judges every value as well; the others take what they are given.
"""

import importlib
import json
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import orjson
import simdjson
from pydantic import BaseModel, TypeAdapter

from app.codecs.questions import decode_predict
from app.codecs.rows import Limits
from model import Floats
from tests.benchmarks.machine import circumstances
from tests.benchmarks.markdown import paragraphs, table
from tests.benchmarks.timing import Contender, Timing, cpu, interleaved, ratio, spread, timed

SHAPES = ((1, 64), (1, 784), (128, 784))
LIMIT, MSGSPEC = "simdjson alone", "msgspec, numpy.array"
AT_ONCE = 0.05  # seconds that one measurement takes, by repeating the call

Decode = Callable[[bytes], Floats]


class Body(BaseModel):
    inputs: list[list[float]]


def body_of(rows: int, features: int) -> bytes:
    """A question for /predict whose numbers have all the digits of a float64 in [0, 1)."""
    inputs = np.random.default_rng(rows).random((rows, features))
    return orjson.dumps({"inputs": inputs}, option=orjson.OPT_SERIALIZE_NUMPY)


def run(quick: bool) -> str:
    repetitions = 3 if quick else 15
    decoders = _decoders()
    return paragraphs(
        circumstances("numpy", "pysimdjson", "pydantic", "pydantic-core", "orjson"),
        f"msgspec {version('msgspec')}." if MSGSPEC in decoders else "msgspec: not installed.",
        "Bodies of random numbers with all their digits. Microseconds of CPU for one body, median "
        f"(lowest to highest) of {repetitions} measurements of {1000 * AT_ONCE:.0f} ms each.",
        *(_table(decoders, body_of(*shape), shape, repetitions) for shape in SHAPES),
    )


def _table(
    decoders: dict[str, Decode], body: bytes, shape: tuple[int, int], repetitions: int
) -> str:
    expected = np.array(json.loads(body)["inputs"])
    for decode in decoders.values():
        np.testing.assert_array_equal(decode(body), expected)

    contenders = {name: _repeated(decode, body) for name, decode in decoders.items()}
    timings = interleaved(contenders, repetitions)
    rows = [
        (name, spread(cpu(found), scale=1e6, digits=1), f"{ratio(cpu(found), limit):.2f}")
        for limit in [cpu(timings[LIMIT])]
        for name, found in timings.items()
    ]
    title = f"{shape[0]} x {shape[1]}, {len(body):,} bytes"
    return table((title, "us", "/ limit"), rows)


def _repeated(decode: Decode, body: bytes) -> Contender:
    """The mean of as many calls as fill the time of one measurement."""
    calls = max(1, round(AT_ONCE / timed(lambda: decode(body)).cpu))

    def again() -> None:
        for _ in range(calls):
            decode(body)

    def measurement() -> Timing:
        total = timed(again)
        return Timing(total.wall / calls, total.cpu / calls)

    return measurement


def _decoders() -> dict[str, Decode]:
    limits = Limits(rows=4096, cells=4_000_000)
    pydantic = TypeAdapter(Body)
    decoders: dict[str, Decode] = {
        LIMIT: _simdjson_alone(),
        "softlens": lambda body: decode_predict(body, None, limits).rows,
        "orjson, numpy.array": lambda body: np.array(orjson.loads(body)["inputs"]),
        "json, numpy.array": lambda body: np.array(json.loads(body)["inputs"]),
        "pydantic, numpy.array": lambda body: np.array(pydantic.validate_json(body).inputs),
    }
    try:
        # Any: it is no dependency of ours, so its types may be absent.
        msgspec: Any = importlib.import_module("msgspec")
    except ModuleNotFoundError:
        return decoders
    fields = msgspec.defstruct("Fields", [("inputs", list[list[float]])])
    decoder = msgspec.json.Decoder(fields)
    return {**decoders, MSGSPEC: lambda body: np.array(decoder.decode(body).inputs)}


def _simdjson_alone() -> Decode:
    """One parser for ever, the width taken on trust: no server could do that."""
    parser = simdjson.Parser()

    def decode(body: bytes) -> Floats:
        document: Any = parser.parse(body)  # Any: whatever JSON there is
        inputs = document["inputs"]
        return np.frombuffer(inputs.as_buffer(of_type="d")).reshape(len(inputs), -1)

    return decode
