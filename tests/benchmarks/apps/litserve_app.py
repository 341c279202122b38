"""LitServe: a process for HTTP and one for the model, with its faster queue between them."""

import sys
from typing import Any

import litserve
import numpy as np
from fastapi import Request, Response

from tests.benchmarks.apps.network import Network


class Prediction(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.network = Network()

    # LitServe reads both annotations: with others FastAPI would judge what comes and goes.
    def decode_request(self, request: Request) -> Any:
        return np.array(request["inputs"], np.float32)

    def predict(self, x: Any) -> Any:
        return self.network.probabilities(x)

    def encode_response(self, output: Any) -> Response:
        return {"probabilities": output.tolist()}  # type: ignore[return-value]  # it makes one


if __name__ == "__main__":
    server = litserve.LitServer(
        Prediction(), accelerator="cpu", devices=1, workers_per_device=1, fast_queue=True
    )
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )
