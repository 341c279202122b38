"""Who may ask for what, where keys are wanted at all."""

from enum import StrEnum


class Access(StrEnum):
    """What a route takes. A key names those of them that it is good for: its scopes."""

    HEALTH = "health"  # anyone, under any name of this host: orchestrators ask by address
    OPEN = "open"  # anyone
    PREDICT = "predict"
    DEBUG = "debug"
    ADMIN = "admin"
    METRICS = "metrics"


SCOPES = (Access.PREDICT, Access.DEBUG, Access.ADMIN, Access.METRICS)  # that a key can have
EVERYTHING = frozenset(SCOPES)
