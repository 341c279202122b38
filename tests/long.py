"""How much of a test is run: a short form with every change, the long one by `make fuzz`."""

import os

LONG = bool(os.environ.get("LONG"))


def times(short: int, long: int) -> int:
    """How often to try."""
    return long if LONG else short
