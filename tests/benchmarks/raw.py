"""`python -m tests.benchmarks.raw`: the least that a server on uvicorn does to predict in binary.

It takes the body for float32 and does the forward pass: nothing is routed, judged, standardised,
described or counted. uvicorn's settings are those of app.server.run.
"""

import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import uvicorn

from model import forward, load_classifier

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


def app_of(model: Path) -> "ASGIApp":
    """An application that answers float32 with float32."""
    classifier = load_classifier(model)

    async def app(scope: "Scope", receive: "Receive", send: "Send") -> None:
        chunks, more = [], True
        while more:
            message = await receive()
            chunks.append(message["body"])
            more = message["more_body"]
        inputs = np.frombuffer(b"".join(chunks), np.float32).reshape(-1, classifier.features)
        content = forward(classifier.single.weights, inputs, classifier.activation).a2.tobytes()
        headers = [
            (b"content-type", b"application/octet-stream"),
            (b"content-length", b"%d" % len(content)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    return app


def main() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        config = uvicorn.Config(
            app_of(Path(os.environ["SOFTLENS_MODELS"])),
            log_config=None, access_log=False, server_header=False, lifespan="off",
        )  # fmt: skip
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
