"""softlens check: the verdict on somebody's own gradient."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any  # Any: arrays, numbers and text, by name

import typer

from app import exit_codes
from app.commands.output import Json, print_lines
from app.commands.tensors import read_answer, read_problem
from app.failures import OptionError, UnfitFileError
from app.talk import say

if TYPE_CHECKING:
    from model import InvalidInputError
    from model.gradients import Report

_EXITS = {
    "right": exit_codes.OK,
    "wrong": exit_codes.WRONG,
    "undecidable": exit_codes.UNDECIDABLE,
}


def run(
    problem: Annotated[
        Path, typer.Argument(help="Of `softlens probe`, or arrays of your own.", readable=False)
    ],
    answer: Annotated[
        Path | None, typer.Argument(help="Your gradients by their names.", readable=False)
    ] = None,
    *,
    precision: Annotated[
        str | None,
        typer.Option(help="float64, float32, float16 or such as `4 digits`; else inferred."),
    ] = None,
    blind_spots: Annotated[
        bool, typer.Option("--blind-spots", help="List what no answer could show here, and stop.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say whether a gradient is right, and if not, which mistake was made and where.

    Exits 0 when it is right, 1 when it is wrong, 3 when that cannot be decided here.

    For example:

        softlens check probe.npz answer.npz

        softlens check probe.json answer.json --json
    """
    if blind_spots == (answer is not None):
        raise OptionError("expected an ANSWER, or --blind-spots without one")
    given = read_problem(problem)
    if answer is None:
        slugs = _blind_spots(problem, given)
        print_lines([json.dumps({"blind_spots": slugs})] if as_json else slugs)
        if not slugs:
            say("every mistake of the catalogue would show in a complete answer")
        return
    report = _report(problem, given, answer, precision)
    print_lines([json.dumps(report.document())] if as_json else str(report).split("\n"))
    raise typer.Exit(_EXITS[report.verdict])


def _blind_spots(problem: Path, given: dict[str, Any]) -> list[str]:
    from model import InvalidInputError
    from model.gradients import blind_spots_of

    try:
        return list(blind_spots_of(given))
    except InvalidInputError as error:
        raise _located(error, {"given": problem}) from None


def _report(problem: Path, given: dict[str, Any], answer: Path, precision: str | None) -> "Report":
    from model import InvalidInputError
    from model.gradients import check

    try:
        return check(given, read_answer(answer), precision)
    except InvalidInputError as error:
        if error.name == "precision":
            raise OptionError(f"--precision: {error.detail}") from None
        raise _located(error, {"given": problem, "candidate": answer}) from None


def _located(error: "InvalidInputError", files: dict[str, Path]) -> UnfitFileError:
    """What is said of an array, said of the file that holds it."""
    root, _, name = (error.name or "given").partition("/")
    row = [] if error.row is None else [f"row {error.row}"]
    places = [str(files[root]), *([name] if name else []), *row, error.detail]
    return UnfitFileError(": ".join(places))
