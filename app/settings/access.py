"""Who may ask."""

import re
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

_HOST = re.compile(r"\*|(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]")
_ORIGIN = re.compile(r"\*|https?://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[0-9]+)?")


class AccessSettings(BaseSettings):
    """Keys, names of this host, and pages of others."""

    keys: SecretStr | None = Field(
        default=None, description="API keys, with commas between them; with any, one is wanted."
    )
    keys_file: Path | None = Field(
        default=None, description="A file of API keys, which is read again when it changes."
    )
    open_metrics: bool = Field(
        default=False, description="Whether `/metrics` needs no key where keys are wanted."
    )
    allowed_hosts: str | None = Field(
        default=None, description="Names this server may be asked under, with commas between them."
    )
    cors_origins: str | None = Field(
        default=None, description="Origins whose pages may ask, with commas between them."
    )

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, value: str | None) -> str | None:
        if not all(_HOST.fullmatch(name) for name in listed(value)):
            raise ValueError("expected names such as example.com, *.example.com or [::1], no ports")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: str | None) -> str | None:
        if not all(_ORIGIN.fullmatch(origin) for origin in listed(value)):
            raise ValueError("expected origins such as https://example.com:8443, in small letters")
        return value


def listed(value: str | None) -> list[str]:
    """What stands between the commas of a setting."""
    return [part.strip() for part in (value or "").split(",") if part.strip()]
