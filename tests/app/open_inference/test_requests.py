"""Every form in which the Open Inference Protocol lets a batch be asked about."""

import json

import httpx
import numpy as np
import pytest

from tests.app.open_inference.asking import (
    INFER,
    LENGTH,
    Json,
    X,
    in_binary,
    in_json,
    infer,
    numbers,
    tensor,
    texts,
)

WHOLE = np.array([[1, 2, 3, 4], [0, 5, 6, 127]])
NESTED = {"flat": X.ravel().tolist(), "nested": X.tolist()}
NUMERIC = {
    "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64,
    "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64,
    "FP32": np.float32, "FP64": np.float64,
}  # fmt: skip


@pytest.fixture
def expected(client: httpx.Client) -> np.ndarray:
    """What /predict says of X, to the last bit."""
    answer = client.post("/predict", json={"inputs": X.tolist()}).json()
    return np.array(answer["probabilities"], np.float32)


@pytest.mark.parametrize("form", NESTED)
def test_data_may_be_flat_or_nested(form: str, client: httpx.Client, expected: np.ndarray) -> None:
    answer = infer(client, {"inputs": [tensor(data=NESTED[form])]})

    np.testing.assert_array_equal(numbers(answer), expected)


def test_a_bracket_in_a_text_changes_nothing(client: httpx.Client, expected: np.ndarray) -> None:
    body = {"id": "[[", "inputs": [tensor(data=X.tolist(), note=["["])], "other": [[1]]}

    answer = infer(client, body)

    assert answer.json()["id"] == "[["
    np.testing.assert_array_equal(numbers(answer), expected)


@pytest.mark.parametrize("datatype", NUMERIC)
@pytest.mark.parametrize("binary", [False, True])
def test_every_datatype_that_casts_safely_is_read(
    datatype: str, binary: bool, client: httpx.Client
) -> None:
    plain = client.post("/predict", json={"inputs": WHOLE.tolist()}).json()["probabilities"]
    x = WHOLE.astype(NUMERIC[datatype])

    answer = infer(client, in_binary(x, datatype) if binary else in_json(x, datatype))

    np.testing.assert_array_equal(numbers(answer), np.array(plain, np.float32))


@pytest.mark.parametrize("datatype", ["FP16", "BF16"])
def test_halves_are_read_in_binary(datatype: str, client: httpx.Client) -> None:
    plain = client.post("/predict", json={"inputs": WHOLE.tolist()}).json()["probabilities"]
    halves = (WHOLE.astype("<f4").view("<u4") >> 16).astype("<u2")

    x = WHOLE.astype("<f2") if datatype == "FP16" else halves
    answer = infer(client, in_binary(x, datatype))

    np.testing.assert_array_equal(numbers(answer), np.array(plain, np.float32))


@pytest.mark.parametrize("binary", [False, True])
def test_unasked_probabilities_and_logits_come_as_one_flag_says(
    binary: bool, client: httpx.Client, expected: np.ndarray
) -> None:
    answer = infer(client, in_binary(parameters={"binary_data_output": binary}))

    assert (LENGTH in answer.headers) == binary
    kind = "application/octet-stream" if binary else "application/json"
    assert answer.headers["content-type"] == kind
    np.testing.assert_array_equal(numbers(answer), expected)
    z = numbers(answer, "logits").astype(np.float64)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(p, expected, rtol=0, atol=2e-6)


def test_outputs_come_as_asked_and_in_that_order(client: httpx.Client) -> None:
    wanted = [
        {"name": "jacobian", "parameters": {"binary_data": True}},
        {"name": "logits"},
        {"name": "input_gradient", "parameters": {"binary_data": True}},
    ]

    answer = infer(client, in_binary(outputs=wanted))

    listed = json.loads(answer.content[: int(answer.headers[LENGTH])])["outputs"]
    assert [output["name"] for output in listed] == ["jacobian", "logits", "input_gradient"]
    assert [output["shape"] for output in listed] == [[3, 5, 5], [3, 5], [3, 5, 4]]
    assert [output["datatype"] for output in listed] == ["FP64", "FP32", "FP64"]
    assert ["data" in output for output in listed] == [False, True, False]


@pytest.mark.parametrize(("name", "wrt"), [("jacobian", "logits"), ("input_gradient", "inputs")])
@pytest.mark.parametrize("binary", [False, True])
def test_a_derivative_is_that_of_gradient(
    name: str, wrt: str, binary: bool, client: httpx.Client
) -> None:
    wanted = [{"name": name, "parameters": {"binary_data": binary}}]
    asked = {"inputs": X.tolist(), "of": "probabilities", "wrt": wrt}

    answer = infer(client, in_binary(outputs=wanted))

    gradient = client.post("/gradient", json=asked).json()["gradient"]
    np.testing.assert_array_equal(numbers(answer, name), np.array(gradient))


def test_one_flag_is_the_default_of_listed_outputs(client: httpx.Client) -> None:
    wanted = [{"name": "logits"}, {"name": "probabilities", "parameters": {"binary_data": False}}]

    answer = infer(client, in_json(outputs=wanted, parameters={"binary_data_output": True}))

    logits, probabilities = json.loads(answer.content[: int(answer.headers[LENGTH])])["outputs"]
    assert logits["parameters"]["binary_data_size"] == len(answer.content) - int(
        answer.headers[LENGTH]
    )
    assert "data" in probabilities


@pytest.mark.parametrize("rows", [1, 3])
def test_a_body_may_be_nothing_but_float32(
    rows: int, client: httpx.Client, expected: np.ndarray
) -> None:
    headers = {LENGTH: "0", "accept-encoding": "identity"}

    answer = client.post(INFER, content=X[:rows].tobytes(), headers=headers)

    assert answer.headers["content-type"] == "application/octet-stream"
    np.testing.assert_array_equal(numbers(answer), expected[:rows])
    assert numbers(answer, "logits").shape == (rows, 5)


@pytest.mark.parametrize("binary", [False, True])
def test_the_likeliest_classes_come_as_text(binary: bool, client: httpx.Client) -> None:
    parameters = {"classification": 2, "binary_data": binary}
    wanted = [{"name": "probabilities", "parameters": parameters}]

    answer = infer(client, in_json(outputs=wanted))

    length = int(answer.headers.get(LENGTH, len(answer.content)))
    (output,) = json.loads(answer.content[:length])["outputs"]
    assert (output["datatype"], output["shape"]) == ("BYTES", [3, 2])
    found = texts(answer.content[length:]) if binary else output["data"]
    p = numbers(infer(client, in_json()))
    for row, first, second in zip(p, found[::2], found[1::2], strict=True):
        order = np.argsort(-row)
        for text, index in zip((first, second), order, strict=False):
            value, number, label = text.split(":")
            assert np.float32(value) == row[index]
            assert (int(number), int(label)) == (index, index)


def test_more_classes_than_there_are_is_all_of_them(client: httpx.Client) -> None:
    wanted = [{"name": "logits", "parameters": {"classification": 99}}]

    (output,) = infer(client, in_json(outputs=wanted)).json()["outputs"]

    assert output["shape"] == [3, 5]


@pytest.mark.parametrize("identifier", ["42", "\N{SNOWMAN}\t\u0000", "x" * 256])
def test_an_identifier_comes_back(identifier: str, client: httpx.Client) -> None:
    assert infer(client, in_json(id=identifier)).json()["id"] == identifier


@pytest.mark.parametrize("extra", [{}, {"id": ""}, {"id": None}])
def test_no_identifier_is_none(extra: Json, client: httpx.Client) -> None:
    assert "id" not in infer(client, in_json() | extra).json()


def test_unknown_keys_and_absent_options_are_passed_over(
    client: httpx.Client, expected: np.ndarray
) -> None:
    body = in_json(model_name="fixture", outputs=None, parameters=None, other={"a": [1]})
    body["inputs"][0] |= {"parameters": {"content_type": "np"}, "note": None}

    np.testing.assert_array_equal(numbers(infer(client, body)), expected)


@pytest.mark.parametrize(
    "parameters",
    [
        {"priority": 1, "timeout": 1000, "sequence_id": 3, "sequence_start": True},
        {"mine": "text", "also": 1.5},
    ],
)
def test_parameters_of_others_change_nothing(
    parameters: dict[str, object], client: httpx.Client, expected: np.ndarray
) -> None:
    answer = infer(client, in_json(parameters=parameters))

    np.testing.assert_array_equal(numbers(answer), expected)


@pytest.mark.parametrize("name", [LENGTH.lower(), LENGTH.upper()])
@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "text/plain"])
def test_headers_are_read_in_any_case_and_the_type_not_at_all(
    name: str, content_type: str, client: httpx.Client, expected: np.ndarray
) -> None:
    body = in_binary()
    headers = {name: body.headers[LENGTH], "content-type": content_type}

    answer = client.post(INFER, content=body.content, headers=headers)

    assert numbers(answer).shape == expected.shape


def test_the_header_may_come_with_json_alone(client: httpx.Client, expected: np.ndarray) -> None:
    content = json.dumps(in_json()).encode()

    answer = client.post(INFER, content=content, headers={LENGTH: str(len(content))})

    np.testing.assert_array_equal(numbers(answer), expected)


@pytest.mark.parametrize("path", [INFER, "/v2/models/fixture/versions/1/infer"])
def test_who_answers_is_named(path: str, client: httpx.Client) -> None:
    answer = client.post(path, json=in_json()).json()

    assert (answer["model_name"], answer["model_version"]) == ("fixture", "1")
    assert list(answer) == ["model_name", "model_version", "outputs"]


@pytest.mark.parametrize("extra", [0, 1])
def test_the_limit_of_bytes_is_exact(extra: int, client: httpx.Client) -> None:
    content = json.dumps(in_json()).encode().ljust(8 * 2**20 + extra)

    answer = client.post(INFER, content=content)

    assert answer.status_code == (413 if extra else 200)
    if extra:
        assert "at most 8388608 bytes" in answer.json()["error"]


def pieces_of_work(client: httpx.Client) -> float:
    """How many requests a thread has worked on."""
    (line,) = [
        line
        for line in client.get("/metrics").text.splitlines()
        if line.startswith("softlens_queue_seconds_count")
    ]
    return float(line.split()[-1])


@pytest.mark.parametrize(
    ("name", "works"), [("probabilities", 0), ("jacobian", 1), ("jacobi\\u0061n", 1)]
)
def test_a_long_answer_is_no_work_of_the_event_loop_however_it_is_written(
    name: str, works: int, client: httpx.Client
) -> None:
    body = json.dumps(in_json(outputs=[{"name": "NAME"}])).replace("NAME", name)
    before = pieces_of_work(client)

    answer = client.post(INFER, content=body, headers={"accept-encoding": "identity"})

    assert answer.status_code == 200, answer.text
    assert pieces_of_work(client) - before == works


def test_many_classes_as_text_are_no_work_of_the_event_loop(client: httpx.Client) -> None:
    x = np.ones((2000, 4), np.float32)
    as_text = {"name": "probabilities", "parameters": {"classification": 5}}
    before = pieces_of_work(client)

    assert infer(client, in_binary(x, outputs=[as_text])).status_code == 200
    assert pieces_of_work(client) - before == 1
    assert infer(client, in_binary(x)).status_code == 200
    assert pieces_of_work(client) - before == 1
