"""mosec: HTTP in Rust, and a worker in Python that it reaches by a socket."""

from typing import Any

import numpy as np
import orjson
from mosec import Server, Worker

from tests.benchmarks.apps.network import Network


class Prediction(Worker):
    def __init__(self) -> None:
        super().__init__()
        self.network = Network()

    def deserialize(self, data: bytes) -> Any:
        return orjson.loads(data)

    def forward(self, data: Any) -> Any:
        return self.network.probabilities(np.array(data["inputs"], np.float32))

    def serialize(self, data: Any) -> bytes:
        return orjson.dumps({"probabilities": data}, option=orjson.OPT_SERIALIZE_NUMPY)


if __name__ == "__main__":
    server = Server()
    server.append_worker(Prediction, num=1)
    server.run()
