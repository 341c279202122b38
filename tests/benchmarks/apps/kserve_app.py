"""KServe with a model of one's own: JSON of version 1, and tensors of version 2."""

import sys
from typing import Any

import numpy as np
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.logging import KSERVE_LOG_CONFIG

from tests.benchmarks.apps.network import Network


class Prediction(Model):
    def load(self) -> bool:
        self.network = Network()
        self.ready = True
        return True

    async def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
        if not isinstance(payload, InferRequest):
            inputs = np.array(payload["instances"], np.float32)
            return {"predictions": self.network.probabilities(inputs).tolist()}
        found = self.network.probabilities(payload.inputs[0].as_numpy())
        output = InferOutput("probabilities", list(found.shape), "FP32")
        output.set_data_from_numpy(found, binary_data=True)
        return InferResponse(payload.id or "0", self.name, [output], use_binary_outputs=True)


if __name__ == "__main__":
    for logger in KSERVE_LOG_CONFIG["loggers"].values():
        logger["level"] = "WARNING"  # it writes three lines for each request otherwise
    model = Prediction("m")
    model.load()
    ModelServer(
        http_port=int(sys.argv[1]),
        workers=1,
        enable_grpc=False,
        enable_latency_logging=False,
    ).start([model])
