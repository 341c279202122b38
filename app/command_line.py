"""The grammar of `softlens`: its commands and what all of them understand.

Light: NumPy and FastAPI are imported only by the command that runs.
"""

import importlib
import re
from pathlib import Path
from typing import Annotated

import typer

from app import exit_codes

# Each with what it does, in so few words that no list of commands cuts it.
COMMANDS = {
    "demo": "Train the shipped digits and serve them.",
    "train": "Train a classifier and save it.",
    "evaluate": "How good a model is on labelled rows.",
    "predict": "A label and probabilities for every row.",
    "gradient": "Derivatives and attributions, row by row.",
    "probe": "A problem to check your own gradients with.",
    "check": "Whether a gradient of yours is right; if not, why.",
    "serve": "Serve models over HTTP.",
    "bench": "How fast a server is, and where its time goes.",
    "inspect": "What a model file says of itself.",
    "key": "Make an API key for a server.",
}

HELP = """A softmax classifier you can see through: train it, serve it, see and check gradients.

Examples:

    softlens demo

    softlens train rows.csv --target species --output model.npz

    softlens serve model.npz

    softlens check probe.npz answer.npz
"""


def assemble(arguments: list[str]) -> typer.Typer:
    """The command line with the one command that was named, or with all for help."""
    cli = typer.Typer(
        help=HELP,
        no_args_is_help=True,
        rich_markup_mode=None,  # rich would take longer to import than all the rest of --help
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    cli.callback()(_options)
    named = next((name for name in arguments if not name.startswith("-")), None)
    for name in (named,) if named in COMMANDS else COMMANDS:
        module = importlib.import_module(f"app.commands.{name}")
        cli.command(name, short_help=COMMANDS[name])(module.run)
    return cli


def _version(wanted: bool) -> None:
    """Print the version, read as text because importing the model would import NumPy."""
    if not wanted:
        return
    text = (Path(__file__).parents[1] / "model" / "__init__.py").read_text()
    found = re.search(r'__version__ = "(.+)"', text)
    typer.echo(f"softlens {found[1] if found else 'unknown'}")
    raise typer.Exit(exit_codes.OK)


def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Print a stack trace with an error.")
    ] = False,
) -> None:
    """What every command understands."""
    del version, debug  # answered by its callback; read by app.cli before anything is parsed
