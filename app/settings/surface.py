"""Which routes there are, and for whom."""

from pydantic import Field
from pydantic_settings import BaseSettings

_PATH = r"^/[A-Za-z0-9._~:/-]*$"


class SurfaceSettings(BaseSettings):
    """What answers at all."""

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
