"""`python -m tests.benchmarks.apps.hello PORT`: the least that a server on uvicorn does.

It reads the body, parses nothing and answers with fixed bytes. uvicorn's settings are those of
app.server.run; whatever is faster than this does not run on uvicorn.
"""

import sys
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

CONTENT = b'{"probabilities":[[0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1]]}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(CONTENT))]


async def app(scope: "Scope", receive: "Receive", send: "Send") -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": CONTENT})


def serve(application: "ASGIApp", port: int) -> None:
    """Until SIGTERM, with the settings of app.server.run."""
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
    )


if __name__ == "__main__":
    serve(app, int(sys.argv[1]))
