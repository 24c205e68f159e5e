"""How many photons a cell of a crystal sends to the detector, tabulated over reflection and energy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from beamforge.arrays import Float64, Integers
from beamforge.physics.crystals import Crystal
from beamforge.physics.labdct import Instrument
from beamforge.physics.materials import Material
from beamforge.physics.structure_factors import families, structure_factors
from beamforge.physics.xray_tube import attenuation

HC = 12.398419843320026
"""keV Å: energy times wavelength of a photon."""
_ELECTRON_RADIUS = 2.8179403262e-12  # mm
_STEP = 0.1  # keV


@dataclass(frozen=True)
class ReflectionTable:
    """The reflections that are followed and what they diffract.

    Attributes
    ----------
    hkl
        Miller indices (reflection, 3).
    vectors
        Scattering vectors (reflection, 3) in 1/Å, 2π included, in the crystal's frame.
    family
        Number (reflection,) of the family of each, from 0.
    direction
        Number (reflection,) that parallel planes share.
    lowest, step
        Energy in keV of the first column of the tables, and between columns.
    photons
        (family, energy): photons that are counted for each mm³ of crystal, absorption in the sample aside.
    absorption
        (energy,): attenuation coefficient of the sample in 1/mm.
    """

    hkl: Integers
    vectors: Float64
    family: Integers
    direction: Integers
    lowest: float
    step: float
    photons: Float64
    absorption: Float64


@lru_cache(maxsize=32)
def reflection_table(crystal: Crystal, instrument: Instrument, count: int) -> ReflectionTable:
    """Tabulate the first `count` families of a crystal in an instrument; the last few tables are kept."""
    members = families(crystal, count)
    low, high = instrument.energies[0], min(instrument.energies[1], instrument.tube.voltage)
    energies = np.linspace(low, high, int(np.ceil((high - low) / _STEP)) + 1)
    hkl = np.concatenate(members)
    flux = instrument.tube.flux_density(energies)
    matter = Material(name=crystal.name, formula=crystal.formula, density=crystal.density)
    return ReflectionTable(
        hkl=hkl,
        vectors=hkl @ crystal.reciprocal.T,
        family=np.repeat(np.arange(len(members)), [len(of_it) for of_it in members]),
        direction=np.unique(hkl // np.gcd.reduce(hkl, axis=1)[:, None], axis=0, return_inverse=True)[1].ravel(),
        lowest=float(low),
        step=float(energies[1] - energies[0]),
        photons=np.array([_photons(crystal, instrument, of_it[:1], energies, flux) for of_it in members]),
        absorption=attenuation(matter, energies) * 0.1,
    )


def _photons(crystal: Crystal, instrument: Instrument, hkl: Integers, energies: Float64, flux: Float64) -> Float64:
    """Give the counted photons (energy,) for each mm³, by `Instrument.lorentz`."""
    wavelength = HC / energies
    sine = wavelength / (2.0 * crystal.spacing(hkl)[0])
    possible = sine < 1.0
    theta = np.arcsin(np.where(possible, sine, 0.5))
    polarisation = 0.5 * (1.0 + np.cos(2.0 * theta) ** 2)
    squares = structure_factors(crystal, hkl, energies)[0]
    if instrument.lorentz == "laue":
        # i0(λ) λ⁴ / (2 sin² θ) with i0(λ) = I(E) E / λ photons for each Å.
        lorentz = energies * flux / (2.0 * np.sin(theta) ** 2)
    else:
        lorentz = instrument.bandwidth * flux / np.sin(2.0 * theta)
    # Å³ / Å⁶ for each mm³ are 1e21 / mm³.
    crystal_part = _ELECTRON_RADIUS**2 * wavelength**3 * squares / crystal.volume**2 * 1e21
    counted = instrument.scintillator.efficiency(energies) * instrument.exposure
    return np.where(possible, crystal_part * lorentz * polarisation * counted, 0.0)
