"""``beamforge materials``: what materials do to a beam."""

from __future__ import annotations

from typing import Annotated

import typer

from beamforge.cli.app import verb


@verb
def materials(
    formulas: Annotated[list[str], typer.Argument(help='Formula and density in g/cm³, e.g. "H2O@1.0"; or an element.')],
    wavelength: Annotated[float, typer.Option(help="Of the neutrons in Å; 1.798 is thermal.")] = 1.798,
    energy: Annotated[float, typer.Option(help="Of the X-rays in keV.")] = 150.0,
) -> None:
    """Print attenuation coefficients and half-value layers for neutrons and X-rays."""
    from beamforge.physics.materials import Material, half_value_layer

    rows = []
    for text in formulas:
        material = Material.parse(text)
        beams = (material.attenuation(wavelength), material.xray_attenuation(energy))
        cells = [f"{mu:12.4g} {10.0 * half_value_layer(mu):12.4g}" for mu in beams]
        rows.append(f"{material.formula:16} {material.density:8.4g} " + " ".join(cells))
    print(f"{'':25} {f'neutrons, {wavelength:g} Å':>25} {f'X-rays, {energy:g} keV':>25}")
    print(f"{'material':16} {'g/cm³':>8} " + " ".join(f"{'µ in 1/cm':>12} {'half in mm':>12}" for _ in range(2)))
    print("\n".join(rows))
