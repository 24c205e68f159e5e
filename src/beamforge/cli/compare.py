"""``beamforge compare``: which network to take for a stack of slices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb
from beamforge.cli.run import show


@verb
def compare(
    recipe: Annotated[
        str, typer.Argument(help="A recipe of the kind comparison: a file, or the name of a shipped one.")
    ],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder of the run [runs/RECIPE].")] = None,
    changes: Annotated[list[str] | None, typer.Option("--set", help="Change a setting: training.epochs=20.")] = None,
) -> None:
    """Compare networks on annotated slices: scores, times, memory, kinds of error, and which one to take."""
    from beamforge.recipes import verbs

    show(verbs.compare(recipe, output, changes=changes or ()))
