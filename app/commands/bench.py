"""softlens bench: how fast a running server is, and where a request's time goes."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.output import Json, print_lines
from app.failures import OptionError, UnfitFileError, UnreachableError
from app.interrupts import leaving_at_once
from app.talk import say

if TYPE_CHECKING:
    from app.commands.figures import Asked, Run
    from app.commands.load import Answers
    from app.commands.target import Spent, Target

CONNECTIONS = (1, 16, 64)
_MOST_NUMBERS = 10_000_000  # that are drawn for one request


def run(
    url: Annotated[str, typer.Argument(help="Where the server is: http://HOST:PORT.")],
    *,
    model: Annotated[str | None, typer.Option(help="A model's name; the default one.")] = None,
    rows: Annotated[
        int | None, typer.Option(help="Random rows in a request; 1.", min=1, max=100_000)
    ] = None,
    body: Annotated[
        Path | None, typer.Option(help="Post this file instead, as it is.", readable=False)
    ] = None,
    seconds: Annotated[
        float, typer.Option(help="For each number of connections.", min=0.1, max=60)
    ] = 3.0,
    requests: Annotated[
        int, typer.Option(help="The most for each.", min=1, max=10_000_000)
    ] = 200_000,
    key_file: Annotated[
        Path | None, typer.Option(help="File whose first line is an API key.", readable=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Throughput and latency of a running server at 1, 16 and 64 connections.

    Posts to /predict, over and over. The server's own /metrics tell where the time goes.

    For example:

        softlens bench http://127.0.0.1:8000

        softlens bench http://10.0.0.7:8000 --rows 128 --seconds 10 --key-file key.txt --json
    """
    with leaving_at_once():
        from app.commands.figures import document, lines
        from app.commands.target import Target

    if rows is not None and body is not None:
        raise OptionError("expected --rows or --body, not both")
    target = Target(url, _first_line(key_file) if key_file else "")
    asked = _asked(target, model, body.read_bytes() if body else None, rows or 1)
    _try(target, asked, body)
    found = _measured(target, asked, seconds, requests)
    told = [json.dumps(document(target.url, asked, found))] if as_json else lines(asked, found)
    print_lines(told)


def _first_line(path: Path) -> str:
    try:
        key = path.read_text(encoding="utf-8").partition("\n")[0].strip()
    except UnicodeDecodeError:
        key = ""
    if not key:
        raise UnfitFileError(f"{path}: expected an API key in its first line")
    return key


def _asked(target: "Target", name: str | None, body: bytes | None, rows: int) -> "Asked":
    import random

    from app.commands.figures import Asked
    from app.commands.target import path_of

    found = target.model(name)
    route = "/predict" if name is None else "/models/{name}/predict"
    if body is not None:
        return Asked(found, path_of(name), route, body, None)
    if rows * found.features > _MOST_NUMBERS:
        raise OptionError(f"--rows: expected at most {_MOST_NUMBERS // found.features} rows")
    numbers = random.Random(0)  # noqa: S311  nothing is kept secret with it
    inputs = [[round(numbers.random(), 4) for _ in range(found.features)] for _ in range(rows)]
    return Asked(found, path_of(name), route, json.dumps({"inputs": inputs}).encode(), rows)


def _try(target: "Target", asked: "Asked", file: Path | None) -> None:
    """Refuse to measure how fast mistakes are answered; also, a first request does not count."""
    from app.commands.target import reason_of

    reply = target.ask("POST", asked.path, asked.body)
    if reply.status == 200:
        return
    if file is not None and 400 <= reply.status < 500 and reply.status not in (401, 403, 429):
        raise UnfitFileError(f"{file}: {reason_of(reply)}")
    raise UnreachableError(f"{target.url}: POST {asked.path}: {reason_of(reply)}")


def _measured(target: "Target", asked: "Asked", seconds: float, requests: int) -> "list[Run]":
    from app.commands.figures import Run
    from app.commands.load import Bounds, Question, post

    question = Question(target.host, target.port, target.request(asked.path, asked.body))
    before, found = _spent(target, asked, tell=True), []
    for connections in CONNECTIONS:
        try:
            answers = post(question, Bounds(connections, seconds, requests))
        except UnreachableError as error:
            raise UnreachableError(f"{target.url}: {connections} connections: {error}") from None
        if not answers.latencies:
            raise UnreachableError(f"{target.url}: {connections} connections: {_why(answers)}")
        after = _spent(target, asked) if before else None
        spent = after.since(before) if after and before else None
        if spent and spent.requests > 1.01 * len(answers.latencies):
            say("others asked the server as well; where the time goes is a mean over all of them")
        found.append(Run(connections, answers, spent))
        before = after
    return found


def _spent(target: "Target", asked: "Asked", *, tell: bool = False) -> "Spent | None":
    from app.commands.target import Spent, reason_of

    found = target.spent(asked.route)
    if isinstance(found, Spent):
        return found
    if tell:
        say(f"where the time goes is not known: GET /metrics: {reason_of(found)}")
    return None


def _why(answers: "Answers") -> str:
    if answers.refused:
        return f"every request was answered with {answers.refused.most_common(1)[0][0]}"
    return "no request was answered in time"
