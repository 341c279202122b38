"""softlens key: a new API key, and the line that makes a server know it."""

from enum import StrEnum
from typing import Annotated

import typer

from app.access import Access
from app.failures import OptionError
from app.talk import say


class ScopeName(StrEnum):
    """What a key is good for."""

    predict = Access.PREDICT.value
    debug = Access.DEBUG.value
    admin = Access.ADMIN.value
    metrics = Access.METRICS.value


def run(
    name: Annotated[str, typer.Argument(help="Who or what it is for.")],
    scope: Annotated[
        list[ScopeName], typer.Option(help="What it is good for; may be given several times.")
    ],
) -> None:
    """Make an API key: printed once, and kept nowhere.

    The second line is for the server, in SOFTLENS_KEYS_FILE or SOFTLENS_KEYS; the key cannot be
    found out from it.

    For example:

        softlens key dashboard --scope predict

        softlens key alice --scope predict --scope debug
    """
    from app.security.keys import KeysError, make_key

    try:
        key, line = make_key(name, scope)
    except KeysError as error:
        raise OptionError(str(error)) from None
    typer.echo(key)
    typer.echo(line)
    say("The first line is the key, for the client alone; the second one is for the server.")
