"""`python -m app.server`: serve what the environment says, without the terminal's libraries."""

import signal
import sys

# As the first process of a container Python ignores SIGTERM until somebody handles it, and
# importing takes a while.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
# To look for new models is asked of a server that has not looked at all yet.
signal.signal(signal.SIGHUP, signal.SIG_IGN)

from app.server.run import serve  # noqa: E402  only now

if __name__ == "__main__":
    sys.exit(serve({}))
