"""``beamforge inspect``: what is this file."""

from __future__ import annotations

from typing import Annotated

import typer

from beamforge.cli.app import verb


@verb
def inspect(
    path: Annotated[str, typer.Argument(help="A file, a folder, a {mode} pattern, or file.h5:/path/to/data.")],
) -> None:
    """Show shape, type, channels, units, classes and histogram of any file beamforge reads."""
    from beamforge.io import inspect_file

    print(inspect_file(path).render())
