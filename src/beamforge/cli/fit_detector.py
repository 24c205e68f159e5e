"""``beamforge fit-detector``: what open beam and dark images say about the detector."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb


@verb
def fit_detector(
    open_beam: Annotated[list[str], typer.Option(help="Raw open beam; give two or more to tell noise from pattern.")],
    dark: Annotated[list[str], typer.Option(help="Raw image without beam; may be given several times.")],
    seconds: Annotated[list[float], typer.Option(min=0.0, help="Exposure time of each open beam, or one for all.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="JSON file of the detector.")],
    dark_seconds: Annotated[
        list[float] | None, typer.Option(min=0.0, help="Exposure time of each dark image; by default the same.")
    ] = None,
    figure: Annotated[Path | None, typer.Option(help="Picture of signal over noise over the exposure.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulations spots are compared with.")] = 0,
) -> None:
    """Estimate gain, noise, light spread, pixel response and white spots of a detector."""
    from beamforge.recipes import verbs

    found = verbs.fit_detector(
        open_beam, dark, output, seconds=seconds, dark_seconds=dark_seconds or None, figure=figure, seed=seed
    )
    camera, report = found.detector, found.report
    spread = " × ".join(f"{s:.2f}" for s in (camera.psf if isinstance(camera.psf, tuple) else (camera.psf,)))
    print(f"offset          {camera.offset:10.1f} DN")
    print(f"read-out noise  {camera.read_noise:10.2f} DN")
    print(f"gain            {camera.gain:10.2f} DN per neutron, {found.rate:.1f} neutrons per px and s")
    if camera.photons is not None:
        print(f"photons         {camera.photons:10.2f} per neutron")
    print(f"light spread    {spread:>10} px")
    print(f"pixel response  {found.response.spread:10.2%} spread")
    laws = (("spots", camera.gamma, report.spots), ("dark spots", camera.background, report.dark_spots))
    for name, spots, count in laws:
        peaks = " / ".join(f"{p:.0f}" for p in (spots.amplitude_50, spots.amplitude_90, spots.amplitude_99))
        law = f"{spots.rate:10.1f} per Mpx and s, peaks {peaks} DN at 50 / 90 / 99 %" if spots.rate else "      none"
        print(f"{name:15} {law} ({count} found)")
    print(f"measured on     {report.used:10.0%} of the open beam; the rest is dark, steep or near a spot")
    if not report.paired:
        print("one open beam alone: what pixels share of the noise counts as pixel response; give two for the gain")
