"""softlens probe: a problem to check your own gradients with."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.output import Force, check_output, print_lines
from app.commands.tensors import check_name, probe_document, write_probe

if TYPE_CHECKING:
    from model.gradients import Probe


class LevelName(StrEnum):
    """How much of the network a problem holds."""

    jacobian = "jacobian"
    loss = "loss"
    network = "network"


def run(
    *,
    level: Annotated[LevelName, typer.Option(help="How much of the network it holds.")],
    seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="The same seed, the same problem, for ever.")
    ],
    output: Annotated[
        Path | None, typer.Option(help="An .npz or .json for the problem; else JSON is printed.")
    ] = None,
    force: Force = False,
) -> None:
    """Make the problem with this level and seed, and say which gradients are wanted.

    Compute them with your own code, in any language, and give them to `softlens check`.

    For example:

        softlens probe --level network --seed 7 --output probe.npz

        softlens check probe.npz answer.npz
    """
    if output:
        check_name(output)
        check_output(output, force=force)
    from model.gradients import probe

    found = probe(level.value, seed)
    if output is None:
        typer.echo(json.dumps(probe_document(found)))
        return
    write_probe(output, found)
    print_lines(_told(output, found))


def _told(output: Path, found: "Probe") -> list[str]:
    given = ", ".join(found.given)
    lines = [f"{output}: {found.level} problem {found.seed}: {given}", found.conventions]
    for word, names in (("wanted", found.wanted), ("optional", found.optional)):
        listed = ", ".join(f"{name} {shape}" for name, shape in names.items())
        lines += [f"{word}: {listed}"] if names else []
    return lines
