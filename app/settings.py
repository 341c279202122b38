"""Everything an operator can set, read once from the environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PositiveInt, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "SOFTLENS_"
_PATH = r"^/[A-Za-z0-9._~:/-]*$"

# What managed platforms tell a container, and the setting it stands for.
_PLATFORM_VARIABLES = {
    "AIP_HTTP_PORT": "port",
    "AIP_HEALTH_ROUTE": "health_route",
    "AIP_PREDICT_ROUTE": "predict_route",
    "SAGEMAKER_BIND_TO_PORT": "port",
}


class Settings(BaseSettings):
    """Read from SOFTLENS_* environment variables; a bad value stops the process."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid"
    )

    models: Path = Field(
        default=Path("/models"), description="The `.npz`, or the folder of models, to serve."
    )
    shipped_model: Path | None = Field(
        default=None,
        description="Served when `SOFTLENS_MODELS` is not set and nothing is at its default.",
    )
    model_policy: Literal["all", "latest"] = Field(
        default="all", description="Which versions of each model are kept loaded."
    )
    reload_seconds: float = Field(
        default=10.0,
        ge=0,
        le=86_400,
        description="From one look for new models to the next, in seconds; 0 looks on SIGHUP only.",
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes any.")
    max_body_bytes: PositiveInt = Field(
        default=8 * 2**20, description="Largest request body, in bytes."
    )
    max_rows: PositiveInt = Field(default=4096, description="Most rows in one request.")
    max_cells: PositiveInt = Field(default=4_000_000, description="Most numbers in one request.")
    max_result_numbers: PositiveInt = Field(
        default=1_000_000, description="Most numbers in one gradient."
    )
    max_check_numbers: PositiveInt = Field(
        default=250_000, description="Most numbers in a gradient check, of question and answer."
    )
    debug: bool = Field(
        default=True, description="Whether derivatives are given: `/gradient`, and by `/v2`."
    )
    model_control: bool = Field(
        default=False, description="Whether models can be loaded and unloaded over HTTP."
    )
    platforms: bool = Field(
        default=True, description="Whether `/v1`, `/invocations` and `/ping` answer."
    )
    health_route: str | None = Field(
        default=None, pattern=_PATH, description="A path that answers as `/ping` does."
    )
    predict_route: str | None = Field(
        default=None, pattern=_PATH, description="A path that answers as `/invocations` does."
    )
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


def from_platform(environment: Mapping[str, str]) -> dict[str, object]:
    """Settings that a managed platform makes through its own variables, where ours are not set."""
    return {
        setting: environment[variable]
        for variable, setting in _PLATFORM_VARIABLES.items()
        if environment.get(variable) and not environment.get(f"{PREFIX}{setting.upper()}")
    }


def explain(error: ValidationError) -> str:
    """One line that names every wrong setting and what was expected."""
    return "; ".join(
        f"{PREFIX}{'_'.join(map(str, problem['loc'])).upper()}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    )
