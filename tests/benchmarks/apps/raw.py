"""`python -m tests.benchmarks.apps.raw PORT`: the least that a server on uvicorn does to predict.

It takes the body for float32 and does the forward pass: nothing is routed, judged, described or
counted.
"""

import sys
from typing import TYPE_CHECKING

import numpy as np

from tests.benchmarks.apps.hello import serve
from tests.benchmarks.apps.network import Network

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

network = Network()


async def app(scope: "Scope", receive: "Receive", send: "Send") -> None:
    chunks, more = [], True
    while more:
        message = await receive()
        chunks.append(message["body"])
        more = message["more_body"]
    inputs = np.frombuffer(b"".join(chunks), np.float32).reshape(-1, len(network.W1))
    content = network.probabilities(inputs).tobytes()
    headers = [
        (b"content-type", b"application/octet-stream"),
        (b"content-length", b"%d" % len(content)),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


if __name__ == "__main__":
    serve(app, int(sys.argv[1]))
