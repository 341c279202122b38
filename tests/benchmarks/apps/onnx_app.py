"""ONNX Runtime behind FastAPI, tuned: the bytes of the body, orjson both ways, no thread."""

import os

import numpy as np
import onnxruntime
import orjson
from fastapi import FastAPI, Request, Response

app = FastAPI()

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(
    os.environ["ONNX_MODEL"], options, providers=["CPUExecutionProvider"]
)


@app.post("/predict")
async def predict(request: Request) -> Response:
    inputs = np.array(orjson.loads(await request.body())["inputs"], np.float32)
    (probabilities,) = session.run(["probabilities"], {"inputs": inputs})
    content = orjson.dumps({"probabilities": probabilities}, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(content, media_type="application/json")
