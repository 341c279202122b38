"""BentoML: one worker, arrays in and out, no access log."""

import bentoml
import numpy as np

from tests.benchmarks.apps.network import Network


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Prediction:
    def __init__(self) -> None:
        self.network = Network()

    @bentoml.api
    def predict(self, inputs: np.ndarray) -> np.ndarray:
        return self.network.probabilities(inputs.astype(np.float32))
