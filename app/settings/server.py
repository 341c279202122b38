"""Where the server listens, and how it ends."""

from typing import Any

from pydantic import Field, PositiveInt, field_validator
from pydantic_settings import BaseSettings


class ServerSettings(BaseSettings):
    """The process and its socket."""

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes any.")
    workers: int = Field(
        default=1, ge=1, le=256, description="Processes that answer; one needs no supervisor."
    )
    drain_seconds: float = Field(
        default=1.0,
        ge=0,
        le=3600,
        description="How long to go on answering, but not ready, after SIGTERM, in seconds.",
    )
    shutdown_seconds: PositiveInt = Field(
        default=30,
        le=86_400,
        description="Longest wait for unfinished requests after the drain, in seconds.",
    )

    @field_validator("port", mode="before")
    @classmethod
    def _ignore_service_links(cls, value: Any) -> Any:  # Any: whatever was set
        """Kubernetes sets SOFTLENS_PORT=tcp://... in pods beside a Service called softlens."""
        return 8000 if isinstance(value, str) and value.startswith("tcp://") else value
