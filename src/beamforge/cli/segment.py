"""``beamforge segment``: labels for a whole stack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb


@verb
def segment(
    model: Annotated[Path, typer.Argument(help="A model folder, a classifier or an intensity model.")],
    stack: Annotated[str, typer.Argument(help="The stack: file, folder, pattern or file.h5:/path.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Labels to write: .tif or .ome.zarr.")],
) -> None:
    """Segment a stack of any size tile by tile; a quick look is written beside the labels."""
    from beamforge.recipes import verbs

    result = verbs.segment(model, stack, output)
    total = max(1, result.pixels)
    for name, count in result.counts.items():
        print(f"{name:24} {count:12d} px {100 * count / total:7.3f} %")
    print(f"{result.path}: {result.pixels_per_second / 1e6:.2f} Mpx/s, quick look {result.quicklook}")
    if result.invalid:
        print(f"{result.invalid} pixels had a channel that is not finite")
