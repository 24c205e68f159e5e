"""What a neutron beam meets: scattering length density and attenuation of materials, and Beer-Lambert."""

from __future__ import annotations

from functools import cache
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, PositiveFloat, model_validator

from beamforge.arrays import Float64
from beamforge.errors import InputError


@cache
def _scattering(formula: str, density: float, wavelength: float) -> tuple[float, float]:
    """Scattering length density in 1e-6/Å² and attenuation in 1/cm, from periodictable's tables."""
    # Loading the tables takes a noticeable fraction of a second, so only who asks pays for it.
    import periodictable

    sld, cross_sections, _ = periodictable.neutron_scattering(formula, density=density, wavelength=wavelength)
    return float(sld[0]), float(sum(cross_sections))


class Material(BaseModel):
    """A material by its formula and density; its neutron properties come from periodictable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    formula: str
    density: PositiveFloat
    """In g/cm³."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        import periodictable

        try:
            known = periodictable.formula(self.formula).atoms
        except ValueError as error:
            raise ValueError(f"{self.formula!r} is not a chemical formula ({error})") from error
        if not known:
            raise ValueError(f"{self.formula!r} names no element")
        return self

    def scattering_length_density(self, wavelength: float) -> float:
        """Give the real scattering length density in 1e-6/Å² at a wavelength in Å."""
        return _scattering(self.formula, self.density, _checked(wavelength))[0]

    def attenuation(self, wavelength: float) -> float:
        """Give the attenuation coefficient in 1/cm at a wavelength in Å.

        The sum of coherent, incoherent and absorption cross sections times the number density; absorption grows with
        the wavelength. Coherent scattering is that of unbound positions: Bragg edges are not in it.
        """
        return _scattering(self.formula, self.density, _checked(wavelength))[1]


POLYSTYRENE = Material(name="polystyrene", formula="C8H8", density=1.05)
HEAVY_WATER = Material(name="D2O", formula="D2O", density=1.107)
WATER = Material(name="H2O", formula="H2O", density=0.997)
QUARTZ = Material(name="fused quartz", formula="SiO2", density=2.2)
ALUMINIUM = Material(name="aluminium", formula="Al", density=2.70)
# Composition in atoms: close enough to 18 % Cr and 10 % Ni by weight.
STAINLESS_STEEL = Material(name="stainless steel", formula="Fe70Cr19Ni9Mn2", density=7.93)


def attenuated(coefficients: Float64, thicknesses: Float64) -> Float64:
    """Give the transmitted fraction behind layers (Beer-Lambert).

    Parameters
    ----------
    coefficients
        Attenuation coefficient of each layer in 1/cm, (layer,) or anything that broadcasts with `thicknesses`.
    thicknesses
        Thickness of each layer along the beam in cm, (layer, ...).

    Raises
    ------
    InputError
        If a thickness is negative.
    """
    thicknesses = np.asarray(thicknesses, dtype=np.float64)
    lowest = float(thicknesses.min(initial=0.0))
    if lowest < 0.0:
        raise InputError(f"a layer is {lowest:g} cm thick, expected 0 or more")
    depth: Float64 = np.tensordot(np.asarray(coefficients, dtype=np.float64), thicknesses, axes=(0, 0))
    return np.exp(-depth)


def _checked(wavelength: float) -> float:
    if not wavelength > 0.0:
        raise InputError(f"a wavelength of {wavelength:g} Å was given, expected a positive number")
    return float(wavelength)
