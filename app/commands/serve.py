"""softlens serve: a model, or a folder of them, over HTTP."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.interrupts import leaving_at_once

Host = Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1.")]
Port = Annotated[
    int | None, typer.Option(help="Port to listen on; 8000. 0 takes any.", min=0, max=65535)
]


class Policy(StrEnum):
    """Which versions of each model are kept loaded."""

    all = "all"
    latest = "latest"


def run(
    models: Annotated[
        Path | None,
        typer.Argument(help="A model file, or a folder; or SOFTLENS_MODELS.", readable=False),
    ] = None,
    host: Host = None,
    port: Port = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that answer; 1.", min=1, max=256)
    ] = None,
    model_policy: Annotated[
        Policy | None, typer.Option(help="Versions of each model to keep loaded; all.")
    ] = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM. Settings come from SOFTLENS_* variables, flags win.

    For example:

        softlens serve model.npz

        softlens serve models/ --host 0.0.0.0 --port 80
    """
    with leaving_at_once():
        from app.server.run import serve

    flags: dict[str, object] = {
        "models": models,
        "host": host,
        "port": port,
        "workers": workers,
        "model_policy": model_policy,
    }
    given = {name: value for name, value in flags.items() if value is not None}
    raise typer.Exit(serve(given))
