"""Whatever is wrong with a request under /v2 is a 4xx whose JSON says `error`; then all is well.

Rows V1 to V7 of docs/robustness.md.
"""

import json
from typing import Any, NamedTuple

import httpx
import numpy as np
import pytest

from tests.app.open_inference.asking import (
    INFER,
    LENGTH,
    Binary,
    Json,
    X,
    in_binary,
    in_json,
    infer,
    numbers,
    tensor,
)
from tests.serving import Server


class Row(NamedTuple):
    """A body, and what is said of it."""

    body: Json | Binary
    words: str
    status: int = 400


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


PROBABILITIES = {"name": "probabilities"}
ROWS = {
    # Row V1, the shape.
    "a shape whose product overflows": Row(shaped([2**60 + 2, 16]), "at most 4096 rows"),
    "a shape beyond 64 bits": Row(shaped([10**30, 4]), "integers"),
    "a negative size": Row(shaped([-3, -4]), "none negative"),
    "no rows": Row(shaped([0, 4]), "at least one row"),
    "no features": Row(shaped([3, 0]), "at least one row"),
    "a float size": Row(shaped([3.0, 4]), "integers"),
    "a boolean size": Row(shaped([True, 12]), "integers"),
    "a text size": Row(shaped(["3", 4]), "integers"),
    "100 sizes": Row(shaped([1] * 99 + [12]), "two sizes"),
    "one size": Row(shaped([12]), "two sizes"),
    "no sizes": Row(shaped([]), "two sizes"),
    "a shape that is none": Row(shaped("3x4"), "two sizes"),
    "no shape": Row({"inputs": [{"name": "inputs", "datatype": "FP32", "data": [1]}]}, "two sizes"),
    "more rows than the limit": Row(shaped([4097, 4]), "at most 4096 rows"),
    "more numbers than the limit": Row(shaped([4096, 1000]), "at most 4000000"),
    "another width": Row(shaped([4, 3]), "expected rows of 4 features, got 3"),
    # Row V2, the data.
    "too few numbers": Row(shaped([4, 4]), "4 x 4 numbers as in shape, got 12"),
    "too many numbers": Row(shaped([2, 4]), "2 x 4 numbers as in shape, got 12"),
    "nesting that contradicts the shape": Row(given(data=X.T.tolist()), "got 4 x 3"),
    "ragged nesting": Row(given(data=[[1, 2, 3, 4], [1, 2], [3, 4]]), "got 2 in row 1"),
    "nesting too deep": Row(given(data=[X.tolist()]), "/inputs/0/data"),
    "nesting hidden by an empty row": Row(
        given(data=[[1, 2, 3, 4], [1, 2, 3, 4], [[1, 2], [], 3, 4]]), "/inputs/0/data/2/0"
    ),
    "a boolean": Row(holding(True), "got a boolean at /inputs/0/data/2"),
    "a text": Row(holding("3"), "got a string at /inputs/0/data/2"),
    "null": Row(holding(None), "got null at /inputs/0/data/2"),
    "a number beyond float32": Row(holding(1e39), "/inputs/0/data/2 overflows"),
    "a number beyond float64": Row(holding(10**400), "/inputs/0/data/2"),
    "a float among integers": Row(given(datatype="INT32"), "integers, as INT32 says"),
    "an integer out of range": Row(
        given(datatype="UINT8", shape=[1, 4], data=[1, 2, 3, 256]), "from 0 to 255"
    ),
    "an integer beyond float64's": Row(
        given(datatype="INT64", shape=[1, 4], data=[1, 2, 3, 2**53 + 1]), "53 bits"
    ),
    "empty data": Row(given(data=[]), "an array of numbers"),
    "data that is none": Row(given(data=3), "an array of numbers"),
    "halves in JSON": Row(given(datatype="FP16"), "FP16 in binary"),
    "texts": Row(given(datatype="BYTES"), "one of UINT8"),
    "booleans": Row(given(datatype="BOOL"), "one of UINT8"),
    "an unknown datatype": Row(given(datatype="float32"), "one of UINT8"),
    "a datatype that is no text": Row(given(datatype=["FP32"]), "one of UINT8"),
    # Row V4, which inputs and outputs.
    "no inputs": Row({}, "array of one input"),
    "inputs that are none": Row({"inputs": {"inputs": []}}, "array of one input"),
    "an empty list of inputs": Row({"inputs": []}, "got 0"),
    "the same input twice": Row({"inputs": in_json()["inputs"] * 2}, "got 2"),
    "an input that is none": Row({"inputs": [3]}, "an object, got a number"),
    "an unknown input": Row(given(name="input-0"), "`inputs`, the only input"),
    "a name like a path": Row(given(name="../inputs"), "`inputs`, the only input"),
    "an unknown output": Row(wanting({"name": "z1"}), "one of probabilities, logits"),
    "an output without a name": Row(wanting({}), "one of probabilities, logits"),
    "an output that is none": Row(wanting("logits"), "an object, got a string"),
    "an output twice": Row(wanting(PROBABILITIES, PROBABILITIES), "each output once"),
    "outputs that are no list": Row(in_json(outputs={}), "an array, got an object"),
    "a negative number of classes": Row(
        wanting(PROBABILITIES | {"parameters": {"classification": -1}}), "a number of classes"
    ),
    "a boolean number of classes": Row(
        wanting(PROBABILITIES | {"parameters": {"classification": True}}), "a number of classes"
    ),
    "classes of a Jacobian": Row(
        wanting({"name": "jacobian", "parameters": {"classification": 1}}), "probabilities or"
    ),
    "a flag that is none": Row(
        wanting(PROBABILITIES | {"parameters": {"binary_data": 1}}), "a boolean"
    ),
    "shared memory for an output": Row(
        wanting(PROBABILITIES | {"parameters": {"shared_memory_region": "r"}}), "no shared", 501
    ),
    "shared memory for an input": Row(
        {"inputs": [tensor(parameters={"shared_memory_region": "r"})]}, "no shared", 501
    ),
    # Row V6, the identifier; parameters.
    "a long identifier": Row(in_json(id="x" * 257), "at most 256 characters"),
    "a very long identifier": Row(in_json(id="x" * 2**20), "at most 256 characters"),
    "an identifier that is no text": Row(in_json(id=7), "at most 256 characters"),
    "parameters that are none": Row(in_json(parameters=[]), "an object, got an array"),
    "a parameter that is an object": Row(in_json(parameters={"a": {}}), "got an object"),
    "a reserved parameter": Row(in_json(parameters={"triton_x": 1}), "triton_"),
    # What is no such document.
    "no object": Row(headed(None, b"[]"), "a JSON object"),
    "no body": Row(headed(None, b""), "an empty body"),
    "a key twice": Row(headed(None, b'{"inputs": [], "inputs": []}'), "twice"),
    "a key of an input twice": Row(
        headed(None, b'{"inputs": [{"name": "inputs", "name": "inputs"}]}'), "twice"
    ),
    "no JSON": Row(headed(None, b"{"), "not JSON"),
    "NaN": Row(headed(None, b'{"inputs": NaN}'), "is not JSON"),
    # The binary extension.
    "a length that is no number": Row(headed("many"), "an integer from 0"),
    "a negative length": Row(headed("-1"), "an integer from 0"),
    "a fractional length": Row(headed("1.0"), "an integer from 0"),
    "a signed length": Row(headed("+1"), "an integer from 0"),
    "an empty length": Row(headed(""), "an integer from 0"),
    "a length larger than the body": Row(headed("9999"), "an integer from 0"),
    "a length of 5000 digits": Row(headed("9" * 5000), "an integer from 0"),
    "a length that cuts the JSON": Row(headed("20"), "not JSON"),
    "bytes without a length": Row(headed(None), "UTF-8"),
    "numbers and bytes": Row(
        given(parameters={"binary_data_size": X.nbytes}), "either `data` or"
    ),
    "neither numbers nor bytes": Row({"inputs": [tensor()]}, "either `data` or"),
    "a size without bytes": Row(
        {"inputs": [tensor(parameters={"binary_data_size": X.nbytes})]}, "got 0"
    ),
    "a size that contradicts the shape": Row(sized(X.nbytes - 4, X.tobytes()[4:]), "48 bytes"),
    "a negative binary size": Row(sized(-48), "48 bytes"),
    "a boolean binary size": Row(sized(True), "48 bytes"),
    "fewer bytes than said": Row(sized(X.nbytes, X.tobytes()[:-1]), "got 47"),
    "more bytes than said": Row(sized(X.nbytes, X.tobytes() + b"x"), "got 49"),
    "bytes behind numbers": Row(
        Binary(json.dumps(in_json()).encode() + b"1234", {LENGTH: str(len(json.dumps(in_json())))}),
        "expected 0 bytes",
    ),
    "NaN in binary": Row(having(np.array([1, np.nan, 3, 4], np.float32)), "/inputs/0/1"),
    "infinity in binary": Row(having(np.array([1, 2, 3, -np.inf], np.float32)), "/inputs/0/3"),
    "infinities that cancel": Row(
        having(np.array([np.inf, 2, 3, -np.inf], np.float32)), "/inputs/0/0"
    ),
    "float64 beyond float32": Row(having(np.array([1, 2, 3, 1e39]), "FP64"), "/inputs/0/3"),
    "a binary integer beyond float64's": Row(
        having(np.array([1, 2, 3, -(2**53)], np.int64), "INT64"), "53 bits"
    ),
    "half a row of bytes": Row(headed("0", X.tobytes()[:-4]), "a multiple of 16 bytes"),
    "no bytes at all": Row(headed("0", b""), "a multiple of 16 bytes"),
    "more rows of bytes than the limit": Row(headed("0", bytes(16 * 4097)), "at most 4096 rows"),
    "bytes that are no numbers": Row(headed("0", b"\xff" * 16), "/0"),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_a_bad_request_is_explained_and_leaves_nothing_behind(
    name: str, client: httpx.Client, server: Server
) -> None:
    row, before = ROWS[name], numbers(infer(client, in_json()))

    answer = infer(client, row.body)

    assert answer.status_code == row.status, answer.text[:500]
    assert answer.headers["content-type"] == "application/json"
    assert row.words in answer.json()["error"]
    assert len(answer.content) <= 4096
    np.testing.assert_array_equal(numbers(infer(client, in_json())), before)
    assert server.process.poll() is None


@pytest.mark.parametrize("value", ["123456789.25", '"4111-secret"', "1e39"])
def test_no_error_repeats_the_value_it_refuses(
    value: str, client: httpx.Client, server: Server
) -> None:
    content = json.dumps(holding("here")).replace('"here"', value)

    answer = client.post(INFER, content=content.replace("[1, 4]", "[2, 2]"))

    assert answer.status_code == 400
    assert value.strip('"') not in answer.text
    assert value.strip('"') not in "".join(server.stderr)


def test_lengths_that_disagree_are_refused(client: httpx.Client) -> None:
    body = in_binary()
    headers = [(LENGTH, body.headers[LENGTH]), (LENGTH, "0")]

    answer = client.post(INFER, content=body.content, headers=headers)

    assert answer.status_code == 400
    assert "expected one" in answer.json()["error"]


@pytest.mark.parametrize("extra", [0, 1])
def test_the_limit_of_bytes_is_exact(extra: int, client: httpx.Client) -> None:
    content = json.dumps(in_json()).encode().ljust(8 * 2**20 + extra)

    answer = client.post(INFER, content=content)

    assert answer.status_code == (413 if extra else 200)
    if extra:
        assert "at most 8388608 bytes" in answer.json()["error"]
