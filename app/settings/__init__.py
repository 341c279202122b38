"""Everything an operator can set, read once from the environment. One module for each subject."""

from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from app.settings.access import AccessSettings
from app.settings.admission import AdmissionSettings
from app.settings.connections import ConnectionSettings
from app.settings.limits import LimitSettings
from app.settings.logs import LogSettings
from app.settings.models import ModelSettings
from app.settings.server import ServerSettings
from app.settings.surface import SurfaceSettings

PREFIX = "SOFTLENS_"

# What managed platforms and other servers call it, and the setting it stands for.
_PLATFORM_VARIABLES = {
    "AIP_HTTP_PORT": "port",
    "AIP_HEALTH_ROUTE": "health_route",
    "AIP_PREDICT_ROUTE": "predict_route",
    "SAGEMAKER_BIND_TO_PORT": "port",
    "WEB_CONCURRENCY": "workers",
}


class Settings(
    AccessSettings,
    SurfaceSettings,
    AdmissionSettings,
    LimitSettings,
    ConnectionSettings,
    LogSettings,
    ServerSettings,
    ModelSettings,
):
    """Read from SOFTLENS_* environment variables; a bad value stops the process."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid"
    )


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
