"""``beamforge report``: the page a person opens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb


@verb
def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
) -> None:
    """Write the report of a finished run again."""
    from beamforge.recipes import verbs

    print(verbs.report(folder))
