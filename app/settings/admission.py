"""How much is worked on at once."""

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings


class AdmissionSettings(BaseSettings):
    """What is admitted; the rest is told to come back."""

    max_requests: PositiveInt = Field(
        default=2048, description="Most requests at once, those included whose bodies still arrive."
    )
    max_backlog: PositiveInt = Field(
        default=256, description="Most requests that have arrived and wait to be answered."
    )
    max_waiting: NonNegativeInt = Field(
        default=128, description="Most large requests that wait for a thread."
    )
    max_waiting_bytes: PositiveInt = Field(
        default=64 * 2**20, description="Most bytes of large bodies in memory at once."
    )
    work_threads: PositiveInt = Field(
        default=2, le=256, description="Threads that work on large requests."
    )
    deadline_seconds: PositiveFloat = Field(
        default=30.0, le=86_400, description="Longest time for the work on one large request."
    )
