"""Requests to the Open Inference Protocol."""

import gzip
import json
from typing import Any

import numpy as np

from tests.app.open_inference.asking import (
    INFER,
    LENGTH,
    Binary,
    Json,
    X,
    in_binary,
    in_json,
    tensor,
)
from tests.attacks.attack import JSON, Attack, Headers, as_json


def sent(body: Json | Binary, words: str, status: int = 400) -> Attack:
    """A body, and what is said of it."""
    if isinstance(body, Binary):
        return Attack(INFER, body.content, status, words=words, headers=(*body.headers.items(),))
    return Attack(INFER, json.dumps(body).encode(), status, words=words)


def shaped(shape: Any) -> Json:  # Any: whatever JSON there is
    return {"inputs": [{**tensor(), "shape": shape, "data": X.ravel().tolist()}]}


def given(**changes: Any) -> Json:
    return {"inputs": [{**tensor(data=X.ravel().tolist()), **changes}]}


def holding(value: Any) -> Json:
    return given(shape=[1, 4], data=[1, 2, value, 4])


def wanting(*outputs: Any) -> Json:
    return in_json(outputs=list(outputs))


def headed(length: str | None, content: bytes | None = None) -> Binary:
    whole = in_binary().content if content is None else content
    return Binary(whole, {} if length is None else {LENGTH: length})


def sized(size: Any, behind: bytes = X.tobytes()) -> Binary:
    """A binary tensor that says it has so many bytes."""
    head = json.dumps({"inputs": [tensor(parameters={"binary_data_size": size})]}).encode()
    return Binary(head + behind, {LENGTH: str(len(head))})


def having(x: np.ndarray, datatype: str = "FP32") -> Binary:
    return in_binary(x.reshape(1, 4), datatype)


def under(path: str) -> Attack:
    """A good body sent to a path that there is not."""
    return Attack(path, as_json(in_json()), 404, "unknown-model")


def coded(body: bytes, coding: str, status: int, slug: str) -> Attack:
    headers: Headers = (*JSON, ("content-encoding", coding))
    return Attack(INFER, body, status, slug, headers=headers)


PROBABILITIES = {"name": "probabilities"}
INFERENCE = {
    # Row V1, the shape.
    "V1 a shape whose product overflows": sent(shaped([2**60 + 2, 16]), "at most 4096 rows"),
    "V1 a shape beyond 64 bits": sent(shaped([10**30, 4]), "integers"),
    "V1 a negative size": sent(shaped([-3, -4]), "none negative"),
    "V1 no rows": sent(shaped([0, 4]), "at least one row"),
    "V1 no features": sent(shaped([3, 0]), "at least one row"),
    "V1 a float size": sent(shaped([3.0, 4]), "integers"),
    "V1 a boolean size": sent(shaped([True, 12]), "integers"),
    "V1 a text size": sent(shaped(["3", 4]), "integers"),
    "V1 100 sizes": sent(shaped([1] * 99 + [12]), "two sizes"),
    "V1 one size": sent(shaped([12]), "two sizes"),
    "V1 no sizes": sent(shaped([]), "two sizes"),
    "V1 a shape that is none": sent(shaped("3x4"), "two sizes"),
    "V1 no shape": sent(
        {"inputs": [{"name": "inputs", "datatype": "FP32", "data": [1]}]}, "two sizes"
    ),
    "V1 more rows than the limit": sent(shaped([4097, 4]), "at most 4096 rows"),
    "V1 more numbers than the limit": sent(shaped([4096, 1000]), "at most 4000000"),
    "V1 another width": sent(shaped([4, 3]), "expected rows of 4 features, got 3"),
    # Row V2, the data.
    "V2 too few numbers": sent(shaped([4, 4]), "4 x 4 numbers as in shape, got 12"),
    "V2 too many numbers": sent(shaped([2, 4]), "2 x 4 numbers as in shape, got 12"),
    "V2 nesting that contradicts the shape": sent(given(data=X.T.tolist()), "got 4 x 3"),
    "V2 ragged nesting": sent(given(data=[[1, 2, 3, 4], [1, 2], [3, 4]]), "got 2 in row 1"),
    "V2 nesting too deep": sent(given(data=[X.tolist()]), "/inputs/0/data"),
    "V2 nesting hidden by an empty row": sent(
        given(data=[[1, 2, 3, 4], [1, 2, 3, 4], [[1, 2], [], 3, 4]]), "/inputs/0/data/2/0"
    ),
    "V2 a boolean": sent(holding(True), "got a boolean at /inputs/0/data/2"),
    "V2 a text": sent(holding("3"), "got a string at /inputs/0/data/2"),
    "V2 null": sent(holding(None), "got null at /inputs/0/data/2"),
    "V2 a number beyond float32": sent(holding(1e39), "/inputs/0/data/2 overflows"),
    "V2 a number beyond float64": sent(holding(10**400), "/inputs/0/data/2"),
    "V2 a float among integers": sent(given(datatype="INT32"), "integers, as INT32 says"),
    "V2 an integer out of range": sent(
        given(datatype="UINT8", shape=[1, 4], data=[1, 2, 3, 256]), "from 0 to 255"
    ),
    "V2 an integer beyond float64's": sent(
        given(datatype="INT64", shape=[1, 4], data=[1, 2, 3, 2**53 + 1]), "53 bits"
    ),
    "V2 empty data": sent(given(data=[]), "an array of numbers"),
    "V2 data that is none": sent(given(data=3), "an array of numbers"),
    "V2 halves in JSON": sent(given(datatype="FP16"), "FP16 in binary"),
    "V2 texts": sent(given(datatype="BYTES"), "one of UINT8"),
    "V2 booleans": sent(given(datatype="BOOL"), "one of UINT8"),
    "V2 an unknown datatype": sent(given(datatype="float32"), "one of UINT8"),
    "V2 a datatype that is no text": sent(given(datatype=["FP32"]), "one of UINT8"),
    # Row V4, which inputs and outputs.
    "V4 no inputs": sent({}, "array of one input"),
    "V4 inputs that are none": sent({"inputs": {"inputs": []}}, "array of one input"),
    "V4 an empty list of inputs": sent({"inputs": []}, "got 0"),
    "V4 the same input twice": sent({"inputs": in_json()["inputs"] * 2}, "got 2"),
    "V4 an input that is none": sent({"inputs": [3]}, "an object, got a number"),
    "V4 an unknown input": sent(given(name="input-0"), "`inputs`, the only input"),
    "V4 a name like a path": sent(given(name="../inputs"), "`inputs`, the only input"),
    "V4 an unknown output": sent(wanting({"name": "z1"}), "one of probabilities, logits"),
    "V4 an output without a name": sent(wanting({}), "one of probabilities, logits"),
    "V4 an output that is none": sent(wanting("logits"), "an object, got a string"),
    "V4 an output twice": sent(wanting(PROBABILITIES, PROBABILITIES), "each output once"),
    "V4 more outputs than there are": sent(wanting(*[{}] * 5), "each output once"),
    "V4 outputs that are no list": sent(in_json(outputs={}), "an array, got an object"),
    "V4 a negative number of classes": sent(
        wanting(PROBABILITIES | {"parameters": {"classification": -1}}), "a number of classes"
    ),
    "V4 a boolean number of classes": sent(
        wanting(PROBABILITIES | {"parameters": {"classification": True}}), "a number of classes"
    ),
    "V4 classes of a Jacobian": sent(
        wanting({"name": "jacobian", "parameters": {"classification": 1}}), "probabilities or"
    ),
    "V4 a flag that is none": sent(
        wanting(PROBABILITIES | {"parameters": {"binary_data": 1}}), "a boolean"
    ),
    "V4 shared memory for an output": sent(
        wanting(PROBABILITIES | {"parameters": {"shared_memory_region": "r"}}), "no shared", 501
    ),
    "V4 shared memory for an input": sent(
        {"inputs": [tensor(parameters={"shared_memory_region": "r"})]}, "no shared", 501
    ),
    # Row V6, the identifier; parameters.
    "V6 a long identifier": sent(in_json(id="x" * 257), "at most 256 characters"),
    "V6 a very long identifier": sent(in_json(id="x" * 2**20), "at most 256 characters"),
    "V6 an identifier that is no text": sent(in_json(id=7), "at most 256 characters"),
    "V6 parameters that are none": sent(in_json(parameters=[]), "an object, got an array"),
    "V6 a parameter that is an object": sent(in_json(parameters={"a": {}}), "got an object"),
    "V6 1,001 parameters": sent(
        in_json(parameters={str(i): i for i in range(1001)}), "at most 1000 members at /parameters"
    ),
    "V6 1,001 unknown members": sent(
        in_json() | {str(i): i for i in range(1001)}, "at most 1000 members"
    ),
    "V6 a reserved parameter": sent(in_json(parameters={"triton_x": 1}), "triton_"),
    # What is no such document.
    "no object": sent(headed(None, b"[]"), "a JSON object"),
    "no body": sent(headed(None, b""), "an empty body"),
    "a key twice": sent(headed(None, b'{"inputs": [], "inputs": []}'), "twice"),
    "a key of an input twice": sent(
        headed(None, b'{"inputs": [{"name": "inputs", "name": "inputs"}]}'), "twice"
    ),
    "no JSON": sent(headed(None, b"{"), "not JSON"),
    "V5 NaN": sent(headed(None, b'{"inputs": NaN}'), "is not JSON"),
    # The binary extension.
    "V3 a length that is no number": sent(headed("many"), "an integer from 0"),
    "V3 a negative length": sent(headed("-1"), "an integer from 0"),
    "V3 a fractional length": sent(headed("1.0"), "an integer from 0"),
    "V3 a signed length": sent(headed("+1"), "an integer from 0"),
    "V3 an empty length": sent(headed(""), "an integer from 0"),
    "V3 a length larger than the body": sent(headed("9999"), "an integer from 0"),
    "V3 a length of 5000 digits": sent(headed("9" * 5000), "an integer from 0"),
    "V3 a length that cuts the JSON": sent(headed("20"), "not JSON"),
    "V3 bytes without a length": sent(headed(None), "UTF-8"),
    "V3 numbers and bytes": sent(
        given(parameters={"binary_data_size": X.nbytes}), "either `data` or"
    ),
    "V3 neither numbers nor bytes": sent({"inputs": [tensor()]}, "either `data` or"),
    "V3 a size without bytes": sent(
        {"inputs": [tensor(parameters={"binary_data_size": X.nbytes})]}, "got 0"
    ),
    "V3 a size that contradicts the shape": sent(sized(X.nbytes - 4, X.tobytes()[4:]), "48 bytes"),
    "V3 a negative binary size": sent(sized(-48), "48 bytes"),
    "V3 a boolean binary size": sent(sized(True), "48 bytes"),
    "V3 fewer bytes than said": sent(sized(X.nbytes, X.tobytes()[:-1]), "got 47"),
    "V3 more bytes than said": sent(sized(X.nbytes, X.tobytes() + b"x"), "got 49"),
    "V3 bytes behind numbers": sent(
        Binary(json.dumps(in_json()).encode() + b"1234", {LENGTH: str(len(json.dumps(in_json())))}),
        "expected 0 bytes",
    ),
    "V5 NaN in binary": sent(having(np.array([1, np.nan, 3, 4], np.float32)), "/inputs/0/1"),
    "V5 infinity in binary": sent(having(np.array([1, 2, 3, -np.inf], np.float32)), "/inputs/0/3"),
    "V5 infinities that cancel": sent(
        having(np.array([np.inf, 2, 3, -np.inf], np.float32)), "/inputs/0/0"
    ),
    "V5 float64 beyond float32": sent(having(np.array([1, 2, 3, 1e39]), "FP64"), "/inputs/0/3"),
    "V3 a binary integer beyond float64's": sent(
        having(np.array([1, 2, 3, -(2**53)], np.int64), "INT64"), "53 bits"
    ),
    "V3 half a row of bytes": sent(headed("0", X.tobytes()[:-4]), "a multiple of 16 bytes"),
    "V3 no bytes at all": sent(headed("0", b""), "a multiple of 16 bytes"),
    "V3 more rows than the limit": sent(headed("0", bytes(16 * 4097)), "at most 4096 rows"),
    "V3 bytes that are no numbers": sent(headed("0", b"\xff" * 16), "/0"),
    "V3 lengths that disagree": Attack(
        INFER, in_binary().content, 400, "invalid-value", words="expected one",
        headers=((LENGTH, in_binary().headers[LENGTH]), (LENGTH, "0")),
    ),
    "V4 an output whose name is an array": sent(wanting({"name": ["logits"]}), "one of probab"),
    "V4 an output 5,000 times": sent(wanting(*[PROBABILITIES] * 5000), "each output once"),
    "V4 classes beyond 64 bits": Attack(
        INFER, as_json(wanting(PROBABILITIES | {"parameters": {"classification": 10**30}})), 400,
        "invalid-value", words="a number of classes",
    ),
    "V6 an identifier that is false": sent(in_json(id=False), "at most 256 characters"),
    "V6 an identifier that is 0": sent(in_json(id=0), "at most 256 characters"),
    "V6 an identifier that is an empty array": sent(in_json(id=[]), "at most 256 characters"),
    "V6 an identifier that a terminal obeys": Attack(
        INFER, as_json(in_json(id="\x00\x1b[2J")), words=r'"id":"\u0000\u001b[2J"'
    ),
    "V7 a name like a path": Attack("/v2/models/..%2fetc/infer", b"", 404, "not-found"),
    "V7 a folder above": under("/v2/models/../infer"),
    "V7 a version beyond 64 bits": under(f"/v2/models/fixture/versions/{10**30}/infer"),
    "V7 a version of 5,000 digits": under(f"/v2/models/fixture/versions/{'9' * 5000}/infer"),
    "V7 version 0": under("/v2/models/fixture/versions/0/infer"),
    "V7 version -1": under("/v2/models/fixture/versions/-1/infer"),
    "V7 version 1.5": under("/v2/models/fixture/versions/1.5/infer"),
    "V7 version 1 in digits of another script": under("/v2/models/fixture/versions/%D9%A1/infer"),
    "V8 a bomb": coded(gzip.compress(bytes(64 * 2**20)), "gzip", 413, "body-too-large"),
    "V8 a bomb in a bomb": coded(
        gzip.compress(gzip.compress(bytes(64 * 2**20))), "gzip", 400, "invalid-encoding"
    ),
    "V8 cut short": coded(gzip.compress(b"{}" * 99)[:-9], "gzip", 400, "invalid-encoding"),
    "V8 two members": coded(gzip.compress(b"{}") * 2, "gzip", 400, "invalid-encoding"),
    "V8 not compressed at all": coded(b"{}", "deflate", 400, "invalid-encoding"),
    "V8 brotli": coded(b"{}", "br", 415, "unsupported-media-type"),
    "V8 compressed twice": coded(b"{}", "gzip, gzip", 415, "unsupported-media-type"),
    "V8 nothing, compressed": coded(gzip.compress(b""), "gzip", 400, "empty-body"),
    "an integer beyond 64 bits beside a shape": Attack(
        INFER, as_json(given(shape=[1, 4], data=[1, 2, 3, 10**24])), words='"outputs"'
    ),
    "loading, where that is switched off": Attack(
        "/v2/repository/models/fixture/load", b"", 403, "model-control-off"
    ),
    "loading a path": Attack(
        "/v2/repository/models/..%2f..%2fetc%2fpasswd/load", b"", 404, "not-found"
    ),
    "an index that is asked for with a list": Attack(
        "/v2/repository/index", b"[]", 400, "invalid-type"
    ),
}  # fmt: skip
