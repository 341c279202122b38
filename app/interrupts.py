"""Ctrl-C where nothing has begun yet that would have to be ended well."""

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager

from app import exit_codes


@contextmanager
def leaving_at_once() -> Generator[None, None, None]:
    """End the process without a word at a Ctrl-C.

    For imports: an exception raised inside one may come out as another, or be swallowed by a
    callback of the import system.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # and not ignored, as a shell's `&` may have it
        signal.signal(signal.SIGINT, lambda *_: os._exit(exit_codes.INTERRUPTED))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
