"""How small structures reduce the visibility of fringes: correlograms of grating interferometry and spin-echo SANS.

Lengths inside the sample (radius, autocorrelation length) are in nm, wavelengths in Å, thicknesses in cm, scattering
length densities in 1e-6/Å², cross sections in 1/cm.

Source: Andersson et al., J. Appl. Cryst. 41 (2008) 868 (spheres); Strobl, Sci. Rep. 4 (2014) 7243 (dark field).
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.physics.materials import Material


def autocorrelation_length(wavelength: float, distance: float, period: float) -> float:
    """Give the length in nm at which an interferometer correlates the sample: xi = lambda Z / p.

    Parameters
    ----------
    wavelength
        In Å.
    distance
        From the sample to the detector in m.
    period
        Of the fringes at the detector in mm.
    """
    return wavelength * distance / period * 100.0


def fringe_period(wavelength: float, distance: float, length: float) -> float:
    """Give the period in mm of the fringes that probe an autocorrelation length in nm; see `autocorrelation_length`."""
    return wavelength * distance / length * 100.0


def sphere_correlation(length: ArrayLike, radius: float) -> Float64:
    """Give the projected correlation function G of a sphere, 1 at zero and 0 from the diameter on.

    Parameters
    ----------
    length
        Autocorrelation lengths in nm, any shape.
    radius
        Of the sphere in nm.
    """
    if not radius > 0.0:
        raise InputError(f"a sphere has the radius {radius:g} nm, expected a positive number")
    x = np.abs(np.asarray(length, dtype=np.float64)) / radius
    inside = x < 2.0
    # Where the formula does not hold, or its logarithm has a removable pole, a harmless number stands in.
    u = np.where(inside & (x > 0.0), x, 1.0)
    square = u * u
    root = np.sqrt(4.0 - square)
    logarithm = np.log(u) - np.log(2.0 + root)
    values = 0.5 * root * (1.0 + square / 8.0) + 0.5 * square * (1.0 - square / 16.0) * logarithm
    return np.where(x == 0.0, 1.0, np.where(inside, values, 0.0))


def small_angle_cross_section(volume_fraction: ArrayLike, contrast: float, wavelength: float, radius: float) -> Float64:
    """Give the macroscopic small-angle cross section of spheres in 1/cm: 3/2 phi (1 - phi) drho² lambda² R.

    Parameters
    ----------
    volume_fraction
        Of the spheres, any shape.
    contrast
        Difference of the scattering length densities in 1e-6/Å².
    wavelength
        In Å.
    radius
        In nm.

    Raises
    ------
    InputError
        If a volume fraction lies outside 0 to 1.
    """
    fraction = np.asarray(volume_fraction, dtype=np.float64)
    if not ((fraction >= 0.0) & (fraction <= 1.0)).all():
        raise InputError(f"volume fractions reach from {fraction.min():g} to {fraction.max():g}, expected 0 to 1")
    per_angstrom = 1.5 * (contrast * 1e-6) ** 2 * wavelength**2 * (radius * 10.0)
    return np.asarray(fraction * (1.0 - fraction) * per_angstrom * 1e8)


def visibility_ratio(correlation: ArrayLike, cross_section: ArrayLike, thickness: ArrayLike) -> Float64:
    """Give the visibility with the sample over that without: V/V0 = exp[Sigma t (G - 1)].

    Parameters
    ----------
    correlation
        G at each autocorrelation length.
    cross_section
        Sigma in 1/cm.
    thickness
        Along the beam in cm.
    """
    exponent = np.asarray(cross_section, np.float64) * np.asarray(thickness, np.float64)
    return np.exp(exponent * (np.asarray(correlation, np.float64) - 1.0))


class Suspension(BaseModel):
    """Equal spheres, diluted: no correlation between one sphere's place and another's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sphere: Material
    solvent: Material
    diameter: PositiveFloat
    """In nm."""
    volume_fraction: Annotated[float, Field(gt=0.0, lt=1.0)]

    def attenuation(self, wavelength: float) -> float:
        """Give the attenuation coefficient in 1/cm at a wavelength in Å."""
        spheres = self.volume_fraction * self.sphere.attenuation(wavelength)
        return spheres + (1.0 - self.volume_fraction) * self.solvent.attenuation(wavelength)

    def contrast(self, wavelength: float) -> float:
        """Give the difference of the scattering length densities in 1e-6/Å²."""
        return self.sphere.scattering_length_density(wavelength) - self.solvent.scattering_length_density(wavelength)

    def cross_section(self, wavelength: float, volume_fraction: ArrayLike | None = None) -> Float64:
        """Give the small-angle cross section in 1/cm, optionally where the concentration is another."""
        fraction = self.volume_fraction if volume_fraction is None else volume_fraction
        return small_angle_cross_section(fraction, self.contrast(wavelength), wavelength, self.diameter / 2.0)

    def visibility_ratio(self, length: ArrayLike, wavelength: float, thickness: float) -> Float64:
        """Give V/V0 at autocorrelation lengths in nm behind a thickness in cm."""
        correlation = sphere_correlation(length, self.diameter / 2.0)
        return visibility_ratio(correlation, self.cross_section(wavelength), thickness)
