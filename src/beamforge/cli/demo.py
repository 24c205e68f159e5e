"""``beamforge demo``: the main job on the built-in phantom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb
from beamforge.cli.run import show


@verb
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the run.")] = Path("runs/demo"),
) -> None:
    """Run the main job end to end on a built-in phantom: simulate, train, judge, report."""
    from beamforge.recipes import load_recipe, run

    show(run(load_recipe("infer-demo"), output))
