"""MLServer, as lean as it gets: a runtime of one's own, in the process that speaks HTTP."""

from typing import Any

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse

from tests.benchmarks.apps.network import Network


class Prediction(MLModel):
    async def load(self) -> bool:
        self.network = Network()
        return True

    async def predict(self, payload: Any) -> Any:
        inputs = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float32)
        output = NumpyCodec.encode_output("probabilities", self.network.probabilities(inputs))
        return InferenceResponse(model_name=self.name, outputs=[output])
