"""FastAPI as its tutorial has it: lists that pydantic judges, a function, a dictionary."""

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

from tests.benchmarks.apps.network import Network

app = FastAPI()
network = Network()


class Question(BaseModel):
    inputs: list[list[float]]


@app.post("/predict")
def predict(question: Question) -> dict[str, list[list[float]]]:
    return {"probabilities": network.probabilities(np.array(question.inputs)).tolist()}
