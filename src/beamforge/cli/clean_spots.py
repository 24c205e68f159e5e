"""``beamforge clean-spots``: diffraction projections to binary spots."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from beamforge.cli.app import verb


@verb
def clean_spots(
    stack: Annotated[str, typer.Argument(help="Projections: file, folder, pattern or file.h5:/path.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The binary spots to write: .tif or .zarr.")],
    model: Annotated[
        Path | None, typer.Option(help="A network trained on simulated projections; without it, the standard routine.")
    ] = None,
    probability: Annotated[
        float | None, typer.Option(help="The network's probability from which on it is a spot.", show_default="0.5")
    ] = None,
    precision: Annotated[
        Literal["fp32", "bf16", "auto"] | None,
        typer.Option(help="Of the network; bf16 is faster where it is computed in.", show_default="fp32"),
    ] = None,
    window: Annotated[int, typer.Option(help="Projections of the rolling median, odd.")] = 11,
    background: Annotated[
        float | None, typer.Option(help="Of the standard routine, in the projections' units.", show_default="5")
    ] = None,
    sigma: Annotated[float | None, typer.Option(help="Of its Laplacian of Gaussian, in px.", show_default="6")] = None,
    percent: Annotated[
        float | None, typer.Option(help="Share of a spot's largest value it reaches down to.", show_default="0.1")
    ] = None,
    minimum: Annotated[int | None, typer.Option(help="Pixels of a spot.", show_default="10")] = None,
) -> None:
    """Turn raw diffraction projections into binary spots; memory does not grow with the stack."""
    from beamforge.recipes import classical_verbs

    options = {"background": background, "sigma": sigma, "percent": percent, "minimum": minimum}
    routine = {name: value for name, value in options.items() if value is not None}
    result = classical_verbs.clean_spots(
        stack,
        output,
        model=model,
        probability=probability,
        precision=precision,
        window=window,
        routine=routine or None,
    )
    print(
        f"{result.path}: {result.projections} projections, {100 * result.share:.3f} % of the pixels are spots, "
        f"{result.seconds:.1f} s"
    )
