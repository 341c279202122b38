"""Bodies of inference requests, put together by hand as a stranger's client would."""

import json
from typing import Any, NamedTuple

import httpx
import numpy as np
from numpy.typing import NDArray

INFER = "/v2/models/fixture/infer"
LENGTH = "Inference-Header-Content-Length"
X = np.array([[1.0, 2.0, 3.0, 4.0], [0.5, -1.0, 0.0, 2.0], [0.25, 8.0, -3.0, 1.0]], np.float32)

Json = dict[str, Any]  # Any: JSON


class Binary(NamedTuple):
    """A body of JSON and bytes, and the header that tells them apart."""

    content: bytes
    headers: dict[str, str]


def tensor(x: NDArray[Any] = X, datatype: str = "FP32", **other: Any) -> Json:  # Any: any dtype
    """An input without its numbers."""
    return {"name": "inputs", "shape": list(x.shape), "datatype": datatype, **other}


def in_json(x: NDArray[Any] = X, datatype: str = "FP32", **other: Any) -> Json:
    """A request with its numbers in JSON, flat."""
    return {"inputs": [tensor(x, datatype, data=x.ravel().tolist())], **other}


def in_binary(x: NDArray[Any] = X, datatype: str = "FP32", **other: Any) -> Binary:
    """A request whose numbers follow the JSON."""
    size = {"binary_data_size": x.nbytes}
    head = json.dumps({"inputs": [tensor(x, datatype, parameters=size)], **other}).encode()
    return Binary(head + x.tobytes(), {LENGTH: str(len(head))})


def infer(client: httpx.Client, body: Json | Binary) -> httpx.Response:
    """The answer of the fixture model, uncompressed."""
    plain = {"accept-encoding": "identity"}
    if isinstance(body, Binary):
        return client.post(INFER, content=body.content, headers=body.headers | plain)
    return client.post(INFER, json=body, headers=plain)


def numbers(answer: httpx.Response, name: str = "probabilities") -> NDArray[Any]:
    """An output as the protocol says to read it, from JSON or from the bytes behind."""
    assert answer.status_code == 200, answer.text
    length = int(answer.headers.get(LENGTH, len(answer.content)))
    offset = length
    for output in json.loads(answer.content[:length])["outputs"]:
        dtype = {"FP32": "<f4", "FP64": "<f8"}.get(output["datatype"], object)
        size = output.get("parameters", {}).get("binary_data_size")
        if output["name"] == name:
            if size is None:
                return np.array(output["data"], dtype).reshape(output["shape"])
            raw = answer.content[offset : offset + size]
            return np.frombuffer(raw, dtype).reshape(output["shape"])
        offset += size or 0
    raise AssertionError(f"no output {name}")


def texts(raw: bytes) -> list[str]:
    """The elements of a BYTES tensor."""
    found = []
    while raw:
        size = int.from_bytes(raw[:4], "little")
        found.append(raw[4 : 4 + size].decode())
        raw = raw[4 + size :]
    return found
