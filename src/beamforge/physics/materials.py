"""What a neutron or X-ray beam meets: scattering length density and attenuation of materials, and Beer-Lambert."""

from __future__ import annotations

import math
from functools import cache
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, PositiveFloat, ValidationError, model_validator

from beamforge.arrays import Float64
from beamforge.errors import InputError


@cache
def _scattering(formula: str, density: float, wavelength: float) -> tuple[float, float]:
    """Scattering length density in 1e-6/Å² and attenuation in 1/cm, from periodictable's tables."""
    # Loading the tables takes a noticeable fraction of a second, so only who asks pays for it.
    import periodictable

    sld, cross_sections, _ = periodictable.neutron_scattering(formula, density=density, wavelength=wavelength)
    if sld is None:
        elements = periodictable.formula(formula).atoms
        unknown = ", ".join(str(atom) for atom in elements if not atom.neutron.has_sld())
        raise InputError(f"{formula!r}: no cross sections for neutrons are tabulated for {unknown or formula}")
    return float(sld[0]), float(sum(cross_sections))


@cache
def _xray_attenuation(formula: str, density: float, energy: float) -> float:
    """Attenuation in 1/cm, from xraydb's tables of Elam et al. 2002."""
    import xraydb

    return float(xraydb.material_mu(formula, energy * 1000.0, density=density))


@cache
def _xray_delta(formula: str, density: float, energy: float) -> float:
    """Decrement of the refractive index, from xraydb's tables of Chantler."""
    import xraydb

    return float(xraydb.xray_delta_beta(formula, density, energy * 1000.0)[0])


class Material(BaseModel):
    """A material by its formula and density.

    Neutron properties come from periodictable, those for X-rays from xraydb.
    """

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
            reason = str(error).strip().splitlines()[0].rstrip(":")
            raise ValueError(f"{self.formula!r} is not a chemical formula ({reason})") from error
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

    def xray_attenuation(self, energy: float) -> float:
        """Give the attenuation coefficient for X-rays in 1/cm at an energy in keV, scattering included."""
        if not 0.1 <= energy <= 800.0:
            raise InputError(f"an X-ray energy of {energy:g} keV was given, expected 0.1 to 800 keV, as tables reach")
        return _xray_attenuation(self.formula, self.density, float(energy))

    def xray_delta(self, energy: float) -> float:
        """Give by how much the refractive index for X-rays lies below 1 at an energy in keV."""
        if not 0.1 <= energy <= 400.0:
            raise InputError(f"an X-ray energy of {energy:g} keV was given, expected 0.1 to 400 keV, as tables reach")
        return _xray_delta(self.formula, self.density, float(energy))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``FORMULA@DENSITY``, density in g/cm³; an element may leave it out.

        Raises
        ------
        InputError
            For an unknown element, a density that is no positive number, or a compound without one.
        """
        import periodictable

        formula, at, written = text.strip().partition("@")
        try:
            if at:
                density: float | None = float(written)
            else:
                parsed = periodictable.formula(formula)
                density = parsed.density if len(parsed.atoms) == 1 else None
        except ValueError as error:
            if at:
                raise InputError(f"{text!r} has the density {written!r}, expected g/cm³, as in H2O@1.0") from error
            density = 1.0  # the formula's own error follows
        if density is None:
            raise InputError(f"{text!r} has no density; write it in g/cm³ after an @, as in {formula}@1.0")
        if not (math.isfinite(density) and density > 0.0):
            raise InputError(f"{text!r} has the density {density:g} g/cm³, expected a positive number")
        try:
            return cls(name=text.strip(), formula=formula, density=density)
        except ValidationError as error:
            raise InputError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error


def half_value_layer(coefficient: float) -> float:
    """Give the thickness in cm that halves a beam: ln 2 over the attenuation coefficient in 1/cm."""
    return math.log(2.0) / coefficient


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
