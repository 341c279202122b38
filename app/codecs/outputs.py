"""Arrays to the bytes of an inference answer of the Open Inference Protocol."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import orjson
from starlette.responses import Response

from app.codecs.arrays import writable
from app.codecs.inference import Inference, Wanted
from app.codecs.replies import BINARY, Headers, Reply
from app.codecs.tensors import bytes_of_texts
from app.repository import Served
from model import Floats

_Entry: TypeAlias = dict[str, Any]  # Any: JSON, and arrays


class Encoded(NamedTuple):
    """An answer before it is compressed."""

    content: bytes
    json_length: int  # bytes of JSON; those behind them are tensors


def encode_inference(served: Served, question: Inference, found: Mapping[str, Floats]) -> Encoded:
    """The answer, its outputs in the order they were asked for.

    Args:
        served: who answers.
        question: which outputs, and in which form.
        found: each of them, float32 or float64.
    """
    entries, tensors = [], []
    for wanted in question.outputs:
        entry, raw = _output(wanted, found[wanted.name], served.classes)
        entries.append(entry)
        tensors.append(raw)

    document: _Entry = {"model_name": served.name, "model_version": served.version}
    if question.id:
        document["id"] = question.id
    document["outputs"] = entries
    json = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    return Encoded(b"".join([json, *tensors]), len(json))


def inference(encoded: Encoded, content: bytes, coding: str | None) -> Response:
    """The answer to an inference.

    Args:
        encoded: the answer; where tensors follow its JSON, a header says where.
        content: the same as it is sent.
        coding: how it was compressed, if it was.
    """
    headers: Headers = [] if coding is None else [(b"content-encoding", coding.encode())]
    if encoded.json_length == len(encoded.content):
        return Reply(content, headers=headers)
    headers.append((b"inference-header-content-length", b"%d" % encoded.json_length))
    return Reply(content, BINARY, headers=headers)


def _output(wanted: Wanted, values: Floats, classes: list[Any]) -> tuple[_Entry, bytes]:
    """An output as JSON, and the bytes that follow it where it is binary.

    Args:
        wanted: its name and form.
        values: its numbers; (N, C) where classes are wanted.
        classes: their names (Any: they keep their JSON type).
    """
    if wanted.classes:
        texts = _ranked(values, classes, wanted.classes)
        shape = (len(values), len(texts) // len(values))
        entry: _Entry = {"name": wanted.name, "datatype": "BYTES", "shape": shape}
        raw = bytes_of_texts(texts) if wanted.binary else b""
        data: Any = texts  # Any: texts or an array
    else:
        datatype = "FP64" if values.dtype == np.float64 else "FP32"
        entry = {"name": wanted.name, "datatype": datatype, "shape": values.shape}
        raw = _little_endian(values) if wanted.binary else b""
        data = writable(np.ravel(values))

    if wanted.binary:
        return entry | {"parameters": {"binary_data_size": len(raw)}}, raw
    return entry | {"data": data}, b""


def _little_endian(values: Floats) -> bytes:
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


def _ranked(values: Floats, classes: list[Any], most: int) -> list[str]:
    """`value:index:label` of the highest in each row, row by row; of equals the first class first.

    Args:
        values: (N, C).
        classes: their C names (Any: they keep their JSON type).
        most: how many of each row.
    """
    order = np.argsort(-values, axis=1, kind="stable")[:, :most]
    highest = np.take_along_axis(values, order, axis=1)
    digits = orjson.dumps(highest.ravel(), option=orjson.OPT_SERIALIZE_NUMPY).decode()[1:-1]
    return [
        f"{value}:{index}:{classes[index]}"
        for value, index in zip(digits.split(","), order.ravel().tolist(), strict=True)
    ]
