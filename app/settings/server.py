"""Where the server listens, and how it ends."""

from typing import Any

from pydantic import Field, PositiveInt, field_validator
from pydantic_settings import BaseSettings


class ServerSettings(BaseSettings):
    """The process and its socket."""

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes any.")
    shutdown_seconds: PositiveInt = Field(
        default=30,
        le=86_400,
        description="Longest wait for unfinished requests after SIGTERM, in seconds.",
    )

    @field_validator("port", mode="before")
    @classmethod
    def _ignore_service_links(cls, value: Any) -> Any:  # Any: whatever was set
        """Kubernetes sets SOFTLENS_PORT=tcp://... in pods beside a Service called softlens."""
        return 8000 if isinstance(value, str) and value.startswith("tcp://") else value
