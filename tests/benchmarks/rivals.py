"""Servers that others make, each as its own documentation would have it. Access logs are off."""

from collections.abc import Sequence

import orjson

from tests.benchmarks.contenders import (
    APPS,
    Contender,
    Place,
    floats,
    in_binary,
    in_json,
    module,
    tensor_of,
    uvicorn,
)
from tests.benchmarks.processes import free_ports


def _mlserver(place: Place) -> Sequence[str]:
    """Its settings are files."""
    grpc, metrics = free_ports(2)
    settings = {
        "host": "127.0.0.1", "http_port": place.port, "grpc_port": grpc, "metrics_port": metrics,
        "parallel_workers": 0, "debug": False,
    }  # fmt: skip
    model = {"name": "m", "implementation": f"{APPS}.mlserver_runtime.Prediction"}
    for name, content in (("settings", settings), ("model-settings", model)):
        (place.folder / f"{name}.json").write_bytes(orjson.dumps(content))
    return place.program("mlserver"), "start", str(place.folder)


def _bentoml(place: Place) -> Sequence[str]:
    service = f"{APPS}.bentoml_service:Prediction"
    options = ("--host", "127.0.0.1", "--port", str(place.port))
    return place.program("bentoml"), "serve", service, *options


KSERVE = Contender(
    "KServe",
    module("kserve_app"),
    path="/v1/models/m:predict",
    body=lambda asked: in_json(instances=asked.inputs),
    read=lambda answer: orjson.loads(answer)["predictions"],
    environment="kserve",
)

PEERS = (
    Contender(
        "ONNX Runtime in FastAPI, tuned",
        uvicorn("onnx_app"),
        environment="onnxruntime",
        prepare=lambda place: (
            place.python, "-m", f"{APPS}.onnx_model", str(place.folder / "network.onnx"),
        ),
        variables=lambda place: {"ONNX_MODEL": str(place.folder / "network.onnx")},
    ),
    Contender(
        "mosec",
        lambda place: (
            place.python, "-m", f"{APPS}.mosec_app", "--address", "127.0.0.1",
            "--port", str(place.port), "--log-level", "warning",
        ),
        path="/inference",
        environment="mosec",
    ),
    Contender("LitServe", module("litserve_app"), environment="litserve"),
    Contender(
        "MLServer, a runtime of NumPy",
        _mlserver,
        path="/v2/models/m/infer",
        body=lambda asked: in_json(inputs=[tensor_of(asked) | {"data": asked.inputs.ravel()}]),
        read=lambda answer: orjson.loads(answer)["outputs"][0]["data"],
        environment="mlserver",
    ),
    KSERVE,
    Contender(
        "BentoML", _bentoml, read=orjson.loads, environment="bentoml",
        variables=lambda place: {
            "BENTOML_HOME": str(place.folder), "BENTOML_DO_NOT_TRACK": "True",
        },
    ),
)  # fmt: skip

BINARY_PEERS = (
    KSERVE._replace(
        path="/v2/models/m/infer",
        body=lambda asked: in_binary(asked, parameters={"binary_data_output": True}),
        read=floats,
    ),
)
