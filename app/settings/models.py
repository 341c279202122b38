"""Which models are served."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings


class ModelSettings(BaseSettings):
    """Where models lie, and which of them are kept loaded."""

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
