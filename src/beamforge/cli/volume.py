"""``beamforge volume``: what a label volume holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb


@verb
def volume(
    labels: Annotated[str, typer.Argument(help="A label volume, such as segment wrote.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables, meshes, labels and the report.")],
    background: Annotated[str | None, typer.Option(help="The class that is no particle [the first].")] = None,
    vote: Annotated[bool, typer.Option("--vote", help="Let neighbouring slices vote on each particle first.")] = False,
    least: Annotated[int, typer.Option(min=1, help="Fewest voxels of a particle in the table.")] = 8,
) -> None:
    """Measure a label volume: phase fractions, particle sizes and shapes, surfaces, meshes."""
    from beamforge.recipes import verbs

    found = verbs.volume(labels, output, background=background, vote=vote, least=least)
    for name, fraction in found.results.fractions.items():
        particles = len(found.results.of(name))
        print(f"{name:16} {100 * fraction:8.3f} %" + (f" {particles:7d} particles" if particles else ""))
    if found.changed is not None:
        print(f"the vote changed {found.changed} voxels")
    print(f"report: {found.report}")
