"""`python -m tests.benchmarks.hello`: the least that a server on uvicorn does for a request.

It reads the body, parses nothing and answers with fixed bytes. uvicorn's settings are those of
app.server.run; whatever is faster than this does not run on uvicorn.
"""

import socket
import sys
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

CONTENT = b'{"probabilities":[[0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1]]}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(CONTENT))]


async def app(scope: "Scope", receive: "Receive", send: "Send") -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": CONTENT})


def main() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, lifespan="off"
        )
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
