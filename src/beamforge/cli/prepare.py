"""``beamforge prepare``: what a comparison did to its slices before a network saw them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb


@verb
def prepare(
    steps: Annotated[Path, typer.Argument(help="The folder preprocessing of a comparison's run.")],
    stack: Annotated[str, typer.Argument(help="A volume: file, folder, pattern or file.h5:/path.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to, .tif or .zarr.")],
) -> None:
    """Let the slices of a volume go through the steps that a comparison fitted, before its network segments them."""
    from beamforge.recipes import verbs

    print(verbs.prepare(steps, stack, output))
