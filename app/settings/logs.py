"""What is logged, and how."""

from typing import Literal

from pydantic import Field, PositiveInt
from pydantic_settings import BaseSettings


class LogSettings(BaseSettings):
    """Lines on stderr."""

    log_format: Literal["auto", "text", "json"] = Field(
        default="auto", description="How lines look; `auto` is text on a terminal, else JSON."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least that is logged."
    )
    request_log: Literal["off", "sampled", "all"] = Field(
        default="sampled", description="Which requests get a line."
    )
    request_log_per_second: PositiveInt = Field(
        default=10, description="Most lines a second where requests are `sampled`."
    )
