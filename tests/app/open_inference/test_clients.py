"""The stock client of the protocol, which others wrote: every method of it that we advertise."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest
import tritonclient.http as blocking
import tritonclient.http.aio as asynchronous
import uvloop
from tritonclient.utils import InferenceServerException

from tests.serving import Server

# Any: the client carries no types.
CODINGS = [None, "gzip", "deflate"]
X = np.random.default_rng(4).normal(size=(5, 4)).astype(np.float32)
Q = np.random.default_rng(5).normal(size=(2, 6)).astype(np.float32)


@pytest.fixture
def client(several: Server) -> Iterator[Any]:
    with blocking.InferenceServerClient(several.url.removeprefix("http://")) as client:
        yield client


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Any]:
    url = server.url.removeprefix("http://")
    async with asynchronous.InferenceServerClient(url) as client:
        yield client


def inputs(x: np.ndarray[Any, Any], binary: bool = True, datatype: str = "FP32") -> list[Any]:
    tensor = blocking.InferInput("inputs", list(x.shape), datatype)
    return [tensor.set_data_from_numpy(x, binary_data=binary)]


def wanted(*names: str, binary: bool = True, classes: int = 0) -> list[Any]:
    return [blocking.InferRequestedOutput(name, binary, classes) for name in names]


def predicted(asked: httpx.Client, path: str = "/models/fixture/predict") -> Any:
    return np.array(asked.post(path, json={"inputs": X.tolist()}).json()["probabilities"], "f4")


def test_health_and_metadata(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.get_server_metadata()["name"] == "softlens"
    assert client.is_model_ready("fixture")
    assert client.is_model_ready("fixture", "1")
    assert not client.is_model_ready("fixture", "3")
    assert client.get_model_metadata("fixture", "2")["versions"] == ["1", "2"]
    assert client.get_model_config("named")["max_batch_size"] == 4096


@pytest.mark.parametrize("binary_in", [False, True])
@pytest.mark.parametrize("binary_out", [False, True])
def test_infer_agrees_with_predict_to_the_last_bit(
    binary_in: bool, binary_out: bool, client: Any, asked: httpx.Client
) -> None:
    outputs = wanted("probabilities", "logits", binary=binary_out)

    answer = client.infer("fixture", inputs(X, binary_in), outputs=outputs, request_id="7")

    np.testing.assert_array_equal(answer.as_numpy("probabilities"), predicted(asked))
    assert answer.as_numpy("logits").dtype == np.float32
    assert answer.get_response()["id"] == "7"


def test_infer_by_default_is_binary_both_ways(client: Any, asked: httpx.Client) -> None:
    answer = client.infer("fixture", inputs(X))

    np.testing.assert_array_equal(answer.as_numpy("probabilities"), predicted(asked))
    assert answer.get_output("logits")["parameters"] == {"binary_data_size": 100}


def test_a_version_can_be_named(client: Any, asked: httpx.Client) -> None:
    answer = client.infer("fixture", inputs(X), model_version="1")

    expected = predicted(asked, "/models/fixture/versions/1/predict")
    np.testing.assert_array_equal(answer.as_numpy("probabilities"), expected)


@pytest.mark.parametrize("coming", CODINGS)
@pytest.mark.parametrize("going", CODINGS)
@pytest.mark.parametrize("binary", [False, True])
def test_bodies_may_be_compressed(
    coming: str, going: str, binary: bool, client: Any, asked: httpx.Client
) -> None:
    answer = client.infer(
        "fixture", inputs(X, binary), outputs=wanted("probabilities", binary=binary),
        request_compression_algorithm=coming, response_compression_algorithm=going,
    )  # fmt: skip

    np.testing.assert_array_equal(answer.as_numpy("probabilities"), predicted(asked))


@pytest.mark.parametrize("binary", [False, True])
def test_classes_come_with_their_names(binary: bool, client: Any) -> None:
    outputs = wanted("probabilities", binary=binary, classes=2)

    found = client.infer("named", inputs(Q), outputs=outputs).as_numpy("probabilities")

    assert found.shape == (2, 2)
    texts = [text.decode() if binary else text for text in found.ravel()]
    assert {text.split(":", 2)[2] for text in texts} <= {"a", "b:c", "\N{SNOWMAN}"}


@pytest.mark.parametrize("binary", [False, True])
def test_a_jacobian_is_an_array_like_any_other(
    binary: bool, client: Any, asked: httpx.Client
) -> None:
    outputs = wanted("jacobian", "input_gradient", binary=binary)

    answer = client.infer("fixture", inputs(X), outputs=outputs)

    for name, wrt in {"jacobian": "logits", "input_gradient": "inputs"}.items():
        body = {"inputs": X.tolist(), "wrt": wrt}
        gradient = asked.post("/models/fixture/gradient", json=body).json()["gradient"]
        np.testing.assert_allclose(answer.as_numpy(name), gradient, rtol=1e-12)


@pytest.mark.parametrize("datatype", ["FP64", "INT64", "UINT8", "FP16"])
def test_other_datatypes_are_read(datatype: str, client: Any, asked: httpx.Client) -> None:
    dtypes = {"FP64": np.float64, "INT64": np.int64, "UINT8": np.uint8, "FP16": np.float16}
    x = np.array([[1, 2, 3, 4]])

    answer = client.infer("fixture", inputs(x.astype(dtypes[datatype]), datatype=datatype))

    same = client.infer("fixture", inputs(x.astype(np.float32)))
    np.testing.assert_array_equal(answer.as_numpy("probabilities"), same.as_numpy("probabilities"))


def test_several_requests_at_once(several: Server, asked: httpx.Client) -> None:
    url = several.url.removeprefix("http://")
    with blocking.InferenceServerClient(url, concurrency=4) as client:
        waiting = [client.async_infer("fixture", inputs(X)) for _ in range(20)]
        answers = [request.get_result() for request in waiting]

    for answer in answers:
        np.testing.assert_array_equal(answer.as_numpy("probabilities"), predicted(asked))


def test_statistics_grow(client: Any) -> None:
    (before,) = client.get_inference_statistics("fixture", "2")["model_stats"]

    client.infer("fixture", inputs(X))

    (after,) = client.get_inference_statistics("fixture", "2")["model_stats"]
    assert after["inference_count"] == before["inference_count"] + 5
    assert after["execution_count"] == before["execution_count"] + 1
    assert len(client.get_inference_statistics()["model_stats"]) == 3


def test_a_model_can_be_unloaded_and_loaded_again(client: Any) -> None:
    client.unload_model("named")
    gone = client.is_model_ready("named")
    states = {one["name"]: one["state"] for one in client.get_model_repository_index()}
    client.load_model("named")

    assert not gone
    assert states == {"fixture": "READY", "named": "UNAVAILABLE"}
    assert client.is_model_ready("named")
    assert {one["state"] for one in client.get_model_repository_index()} == {"READY"}


def test_an_error_is_what_the_server_says(client: Any) -> None:
    with pytest.raises(InferenceServerException, match="expected rows of 4 features, got 6"):
        client.infer("fixture", inputs(Q))
    with pytest.raises(InferenceServerException, match="no model of this name"):
        client.infer("absent", inputs(X))


def test_the_asynchronous_client_finds_everything_too(several: Server, asked: httpx.Client) -> None:
    async def ask() -> Any:
        async with connected(several) as client:
            assert await client.is_server_live()
            assert await client.is_server_ready()
            assert await client.is_model_ready("fixture", "2")
            assert (await client.get_server_metadata())["name"] == "softlens"
            assert (await client.get_model_metadata("fixture"))["name"] == "fixture"
            assert (await client.get_model_config("fixture"))["name"] == "fixture"
            assert len(await client.get_model_repository_index()) == 3
            await client.unload_model("named")
            await client.load_model("named")
            assert (await client.get_inference_statistics("fixture"))["model_stats"]
            return await client.infer("fixture", inputs(X), outputs=wanted("probabilities"))

    np.testing.assert_array_equal(uvloop.run(ask()).as_numpy("probabilities"), predicted(asked))


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("binary", [False, True])
def test_the_asynchronous_client_infers_in_every_form(
    coding: str, binary: bool, several: Server, asked: httpx.Client
) -> None:
    async def ask() -> Any:
        async with connected(several) as client:
            return await client.infer(
                "fixture", inputs(X, binary), outputs=wanted("probabilities", binary=binary),
                request_compression_algorithm=coding, response_compression_algorithm=coding,
            )  # fmt: skip

    np.testing.assert_array_equal(uvloop.run(ask()).as_numpy("probabilities"), predicted(asked))
