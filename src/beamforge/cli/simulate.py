"""``beamforge simulate``: labelled samples into a Zarr group."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb
from beamforge.cli.appearance_option import AppearanceFrom


@verb
def simulate(
    source: Annotated[str, typer.Argument(help="A recipe, a fitted model (.json), or a saved scenario's folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Zarr group to write.")],
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many samples.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed; the same gives the same samples.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes; the samples are the same for any number.")] = 1,
    tile: Annotated[int, typer.Option(min=8, help="Side of the tiles in px, for a fitted model.")] = 192,
    changes: Annotated[list[str] | None, typer.Option("--set", help="Change a recipe's setting.")] = None,
    appearance_from: AppearanceFrom = None,
) -> None:
    """Simulate labelled samples; an interrupted call goes on where it was."""
    from beamforge.recipes import verbs

    looks = [] if appearance_from is None else [f"appearance_from={Path(appearance_from).absolute()}"]
    settings = [*looks, *(changes or [])]
    print(verbs.simulate(source, count, output, seed=seed, workers=workers, tile=tile, changes=settings))
