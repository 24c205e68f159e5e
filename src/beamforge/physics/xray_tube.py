"""The spectrum of an X-ray tube with a tungsten target.

The model of Tucker, Barnes & Chakraborty, Med. Phys. 18 (1991), 211: electrons slow down in the target, every energy
on the way radiates, and the target absorbs part of what comes from its depth. Its constants were fitted there to
measured spectra from 50 to 140 kV. Lines are broadened by what the source's size blurs in the angle.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, model_validator

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.physics.materials import ALUMINIUM, Material

_REST = 510.999
"""Rest energy of the electron in keV."""
_TARGET = Material(name="tungsten", formula="W", density=19.3)

# Thomson-Whiddington constant of tungsten in keV² cm²/g over the tube voltage in kV (Birch & Marshall, Phys. Med.
# Biol. 24 (1979), 505).
_VOLTAGES = (50.0, 75.0, 100.0, 150.0, 200.0)
_WHIDDINGTON = (5.4e5, 6.25e5, 7.0e5, 8.4e5, 1.0e6)

# Tucker et al. 1991: strength and shape of the bremsstrahlung, stopping power in keV cm²/g, yield and lines of the
# K shell.
_BREMSSTRAHLUNG = (3.685e-2, 2.900e-5)
_SHAPE = (3.842, -10.516, 10.847, -5.049, 1.0)
_STOPPING = (2024.1, 10361.0, 0.04695)
_K_EDGE, _K_YIELD, _K_GROWTH = 69.5, 1.349e-3, 1.648
_K_LINES = ((59.321, 0.505), (57.984, 0.291), (67.244, 0.162), (69.069, 0.042))
# The L lines are not in that model: the same law at the L3 edge, with a yield of the order that Green & Cosslett
# (Br. J. Appl. Phys. 1 (1968), 425) found beside the K lines'. Any real window takes most of them.
_L_EDGE, _L_YIELD = 10.2, 6.0e-4
_L_LINES = ((8.398, 0.45), (9.672, 0.35), (9.951, 0.12), (11.286, 0.08))


class Filter(BaseModel):
    """A sheet in the beam."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    material: Material
    thickness: PositiveFloat
    """In mm."""


class TungstenTube(BaseModel):
    """A tube with a tungsten target, as its spectrum depends on it.

    Attributes
    ----------
    voltage
        In kV.
    target_angle
        Angle between the target's surface and the beam that leaves it, in degrees.
    filters
        Sheets between target and sample, window included.
    flux
        Photons per second and mm² at the sample, all energies together.
    line_width
        Full width at half maximum in keV of the characteristic lines. At one place of a spot a source of 5 µm at
        11 mm blurs the Bragg angle by .45 mrad, which is some .3 keV at 59 keV and 5°.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    voltage: float = Field(default=140.0, ge=40.0, le=200.0)
    target_angle: float = Field(default=12.5, gt=0.0, lt=90.0)
    filters: tuple[Filter, ...] = (Filter(material=ALUMINIUM, thickness=2.0),)
    flux: PositiveFloat = 5e8
    line_width: PositiveFloat = 0.5

    def flux_density(self, energies: Float64) -> Float64:
        """Give photons per second, mm² and keV at photon energies (energy,) in keV; none above the tube's voltage.

        Raises
        ------
        InputError
            For an energy that is not positive.
        """
        energies = np.asarray(energies, dtype=np.float64)
        if not (energies > 0.0).all():
            raise InputError(f"a photon energy of {energies.min():g} keV was given, expected positive numbers")
        return np.asarray(self.emitted(energies) * self.flux / _all_energies(self))

    def emitted(self, energies: Float64) -> Float64:
        """Give photons per electron and keV behind the filters, up to a constant, at energies (energy,) in keV."""
        spectrum = self._bremsstrahlung(energies)
        for edge, strength, lines in ((_K_EDGE, _K_YIELD, _K_LINES), (_L_EDGE, _L_YIELD, _L_LINES)):
            spectrum += self._lines(energies, edge, strength, lines)
        inside = (energies >= 1.0) & (energies <= self.voltage)
        for sheet in self.filters:
            spectrum[inside] *= np.exp(-attenuation(sheet.material, energies[inside]) * 0.1 * sheet.thickness)
        return np.where(inside, spectrum, 0.0)

    def _bremsstrahlung(self, energies: Float64) -> Float64:
        spectrum = np.zeros_like(energies)
        inside = (energies >= 1.0) & (energies < self.voltage)
        photon = energies[inside, None]
        # Gauss-Legendre over the electron's energy from the photon's to the full one.
        nodes, weights = np.polynomial.legendre.leggauss(32)
        half = 0.5 * (self.voltage - photon)
        electron = photon + half * (1.0 + nodes)
        base, fall, rate = _STOPPING
        stopping = base + fall * np.exp(-rate * electron)
        shape = np.polyval(_SHAPE, photon / electron)
        radiated = shape * (electron + _REST) / electron / stopping * self._escape(photon, electron)
        strength = _BREMSSTRAHLUNG[0] + _BREMSSTRAHLUNG[1] * self.voltage
        spectrum[inside] = strength * _PER_MASS / photon[:, 0] * (half * weights * radiated).sum(axis=1)
        return spectrum

    def _escape(self, photon: Float64, electron: Float64) -> Float64:
        """Share of photons that leave the target from where electrons have slowed to an energy (both in keV)."""
        constant = np.interp(self.voltage, _VOLTAGES, _WHIDDINGTON)
        depth = (self.voltage**2 - electron**2) / constant  # g/cm²
        absorbed = attenuation(_TARGET, photon.ravel()).reshape(photon.shape) / _TARGET.density
        return np.asarray(np.exp(-absorbed * depth / np.sin(np.radians(self.target_angle))))

    def _lines(
        self, energies: Float64, edge: float, strength: float, lines: tuple[tuple[float, float], ...]
    ) -> Float64:
        if self.voltage <= edge:
            return np.zeros_like(energies)
        constant = np.interp(self.voltage, _VOLTAGES, _WHIDDINGTON)
        reach = (self.voltage**2 - edge**2) / constant
        # Tucker et al. 1991, Eq. 16: lines come from all depths of the reach, fewer from deeper ones.
        nodes, weights = np.polynomial.legendre.leggauss(16)
        depth = 0.5 * (1.0 + nodes)
        sine = np.sin(np.radians(self.target_angle))
        width = self.line_width / np.sqrt(8.0 * np.log(2.0))
        total = np.zeros_like(energies)
        for energy, share in lines:
            absorbed = attenuation(_TARGET, np.array([energy]))[0] / _TARGET.density
            escape = np.sum(0.5 * weights * 1.5 * (1.0 - depth**2) * np.exp(-absorbed * depth * reach / sine))
            photons = strength * (self.voltage / edge - 1.0) ** _K_GROWTH * share * escape
            profile = np.exp(-0.5 * ((energies - energy) / width) ** 2) / (width * np.sqrt(2.0 * np.pi))
            total += photons * profile
        return total


class TabulatedSpectrum(BaseModel):
    """A spectrum that was measured or computed elsewhere, of any anode.

    Attributes
    ----------
    energies
        In keV, rising.
    weights
        Photons per keV at each, in any unit; in between they are interpolated, outside there are none.
    flux
        Photons per second and mm² at the sample, all energies together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    energies: tuple[PositiveFloat, ...] = Field(min_length=2)
    weights: tuple[NonNegativeFloat, ...]
    flux: PositiveFloat

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if len(self.weights) != len(self.energies):
            raise ValueError(f"{len(self.weights)} weights for {len(self.energies)} energies, expected one for each")
        if not (np.diff(self.energies) > 0.0).all() or not sum(self.weights) > 0.0:
            raise ValueError("energies have to rise, and weights must not all be 0")
        return self

    @property
    def voltage(self) -> float:
        """The highest energy in keV."""
        return self.energies[-1]

    def flux_density(self, energies: Float64) -> Float64:
        """Give photons per second, mm² and keV at photon energies (energy,) in keV."""
        whole = np.trapezoid(self.weights, self.energies)
        return np.asarray(np.interp(energies, self.energies, self.weights, 0.0, 0.0) * self.flux / whole)


@lru_cache(maxsize=64)
def _all_energies(tube: TungstenTube) -> float:
    grid = np.arange(1.0, tube.voltage + 0.05, 0.1)
    return float(np.trapezoid(tube.emitted(grid), grid))


def attenuation(material: Material, energies: Float64) -> Float64:
    """Give the attenuation coefficient (energy,) of a material in 1/cm at photon energies in keV."""
    import xraydb

    return np.atleast_1d(xraydb.material_mu(material.formula, energies * 1000.0, density=material.density))


# alpha r_e² Z² / A of tungsten in cm²/kg, the unit in which the strength above was fitted.
_PER_MASS = 7.2973525693e-3 * 2.8179403262e-15**2 * 74.0**2 / (183.84 * 1.66053906892e-27) * 1e4
