"""softlens demo: from nothing to an answer."""

import json
import os
import tempfile
from pathlib import Path

import typer

from app import exit_codes
from app.commands.serve import Host, Port
from app.interrupts import leaving_at_once


def run(host: Host = None, port: Port = None) -> None:
    """Train the shipped digits and serve them.

    For example:

        softlens demo

        softlens demo --port 9000
    """
    # Before NumPy is imported: more threads would only get in each other's way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with leaving_at_once():
        from app.commands.progress import progress
        from app.server.run import serve
        from model import save_artifact
        from model.data import load_digits
        from model.training import Plan, fit

    digits, plan = load_digits(), Plan()
    with tempfile.TemporaryDirectory(prefix="softlens-") as folder:
        with progress(plan.epochs) as show:
            result = fit(digits, plan, "digits", show)
        if result.stopped == "interrupted":
            raise typer.Exit(exit_codes.INTERRUPTED)
        path = Path(folder) / "digits.npz"
        save_artifact(path, result.artifact)

        scores = result.artifact.metadata["metrics"]["validation"]
        rows = len(digits.labels) - scores["rows"]
        typer.echo(
            f"Trained on {rows} handwritten digits of 8x8 pixels; {scores['accuracy']:.1%} of "
            f"{scores['rows']} held-out ones are recognised."
        )
        flags: dict[str, object] = {"models": path, "host": host, "port": port, "workers": 1}
        given = {name: value for name, value in flags.items() if value is not None}
        row = digits.inputs[0].tolist()
        raise typer.Exit(serve(given, lambda url: _invite(url, row)))


def _invite(url: str, row: list[int]) -> None:
    """Tell where the server is, with something to paste."""
    body = json.dumps({"inputs": [row]}, separators=(",", ":"))
    typer.echo(f"\nServing on {url} (API reference: {url}/docs). Ctrl-C stops. Try:\n")
    typer.echo(f"curl {url}/predict -H 'content-type: application/json' -d '{body}'\n")
