"""``beamforge clean``: white spots out of images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb


@verb
def clean(
    stack: Annotated[str, typer.Argument(help="Images: file, folder, pattern or file.h5:/path.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The clean stack to write: .tif or .zarr.")],
    mask: Annotated[Path | None, typer.Option(help="Where to write the mask of the spots: .tif or .zarr.")] = None,
    high: Annotated[float, typer.Option(help="A spot has a pixel above so many standard deviations.")] = 6.0,
    low: Annotated[float, typer.Option(help="Pixels that touch it belong to it above so many.")] = 3.5,
    model: Annotated[Path | None, typer.Option(help="A network trained on spots decides instead.")] = None,
    probability: Annotated[float, typer.Option(help="The network's probability from which on it is a spot.")] = 0.3,
) -> None:
    """Find white spots and replace them by the median of what is around; memory does not grow with the stack."""
    from beamforge.recipes import classical_verbs

    result = classical_verbs.clean(stack, output, mask=mask, high=high, low=low, model=model, probability=probability)
    share = 100 * result.spots / max(1, result.pixels)
    print(f"{result.path}: {result.spots} of {result.pixels} px replaced ({share:.3f} %) in {result.seconds:.1f} s")
    if result.left:
        print(f"{result.left} px of spots have no valid pixel within 16 px and were left as they are")
    if result.mask is not None:
        print(f"mask: {result.mask}")
