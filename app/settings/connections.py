"""How long a client may take, and how much of the server it may take up before it has asked."""

from pydantic import Field, PositiveInt
from pydantic_settings import BaseSettings

_DAY = 86_400.0


class ConnectionSettings(BaseSettings):
    """Heads of requests, deadlines, and the number of connections."""

    max_header_bytes: PositiveInt = Field(
        default=16_384, le=2**20, description="Largest headers of one request together, in bytes."
    )
    max_headers: PositiveInt = Field(
        default=100, le=10_000, description="Most headers of one request."
    )
    max_url_bytes: PositiveInt = Field(
        default=8192, le=60_000, description="Longest path and query, in bytes."
    )
    header_seconds: float = Field(
        default=10.0, gt=0, le=_DAY, description="Longest time for the head of a request."
    )
    body_seconds: float = Field(
        default=10.0, gt=0, le=_DAY, description="Longest pause within a body, in seconds."
    )
    request_seconds: float = Field(
        default=30.0, gt=0, le=_DAY, description="Longest time for a whole request to arrive."
    )
    write_seconds: float = Field(
        default=30.0, gt=0, le=_DAY, description="Longest pause of a client that takes an answer."
    )
    keep_alive_seconds: float = Field(
        default=5.0, gt=0, le=_DAY, description="How long an idle connection stays open."
    )
    max_unsent_bytes: PositiveInt = Field(
        default=64 * 2**20, description="Most bytes of answers that wait for their clients."
    )
    max_connections: PositiveInt = Field(
        default=10_000, le=10**6, description="Most connections at a time."
    )
