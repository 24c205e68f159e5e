"""How strongly a crystal diffracts: structure factors with thermal displacement and anomalous scattering."""

from __future__ import annotations

import numpy as np

from beamforge.arrays import Float64, Integers
from beamforge.errors import InputError
from beamforge.physics.crystals import Crystal

LOWEST_ENERGY, HIGHEST_ENERGY = 0.1, 500.0
"""Range in keV of the tables of anomalous scattering used."""

_AWAY_FROM_EDGES = 200.0
"""Energy in keV at which anomalous scattering makes no reflection of its own."""
_EXTINCT = 1e-6
"""Share of the strongest |F|² below which a reflection counts as extinct."""


def structure_factors(crystal: Crystal, hkl: Integers, energies: Float64) -> Float64:
    """Give |F|² in squared electrons.

    F = sum over atoms of occupancy (f0(s) + f' + i f'') exp(-8 π² U s²) exp(2 π i h·x) with s = sin θ / λ = 1 / 2d.
    f0 is from Waasmaier & Kirfel 1995 and f', f'' from Chantler 2000, both through xraydb. The Debye-Waller factor
    stands with the amplitude, so intensities fall by its square.

    Parameters
    ----------
    crystal
        The structure.
    hkl
        Miller indices (reflection, 3).
    energies
        Photon energies (energy,) in keV.

    Returns
    -------
    (reflection, energy)

    Raises
    ------
    InputError
        For an energy outside the tables.
    """
    import xraydb

    energies = np.asarray(energies, dtype=np.float64)
    if not (np.isfinite(energies).all() and (energies >= LOWEST_ENERGY).all() and (energies <= HIGHEST_ENERGY).all()):
        raise InputError(
            f"photon energies reach from {energies.min():g} to {energies.max():g} keV, expected "
            f"{LOWEST_ENERGY:g} to {HIGHEST_ENERGY:g} keV, as the tables of anomalous scattering do"
        )
    hkl = np.asarray(hkl)
    s = 0.5 / crystal.spacing(hkl)
    total = np.zeros((len(hkl), len(energies)), dtype=np.complex128)
    for atom, copies in crystal.sites:
        phases = np.exp(2j * np.pi * (hkl @ copies.T)).sum(axis=1)
        thermal = np.exp(-8.0 * np.pi**2 * atom.displacement * s**2)
        # xraydb gives a bare number for an array of one.
        real, imaginary = (
            np.atleast_1d(part(atom.element, energies * 1000.0)) for part in (xraydb.f1_chantler, xraydb.f2_chantler)
        )
        anomalous = real + 1j * imaginary
        forward = np.atleast_1d(xraydb.f0(atom.element, s))
        amplitude = (forward[:, None] + anomalous[None, :]) * thermal[:, None]
        total += atom.occupancy * phases[:, None] * amplitude
    return np.asarray(np.abs(total) ** 2)


def families(crystal: Crystal, count: int) -> list[Integers]:
    """Give the first families of reflections, by falling distance of their planes.

    A family holds the reflections (n, 3) that the crystal's symmetry turns into each other, Friedel pairs included;
    those that the structure extinguishes are left out.

    Parameters
    ----------
    crystal
        The structure.
    count
        How many families.
    """
    if count < 1:
        raise InputError(f"{count} families of reflections were asked for, expected 1 or more")
    reach = 2
    while True:
        found = _families_within(crystal, reach)
        if len(found) >= count:
            return found[:count]
        reach *= 2


def _families_within(crystal: Crystal, reach: int) -> list[Integers]:
    """Give every family of the reflections of which the cube of indices up to `reach` surely misses none."""
    steps = np.arange(-reach, reach + 1)
    hkl = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    hkl = hkl[np.any(hkl, axis=1)]
    # An index h means |G| >= 2 pi h / a, so planes wider apart than a / (reach + 1) have smaller indices.
    hkl = hkl[crystal.spacing(hkl) > max(crystal.cell[:3]) / (reach + 1) * (1.0 + 1e-9)]
    squares = structure_factors(crystal, hkl, np.array([_AWAY_FROM_EDGES]))[:, 0]
    hkl = hkl[squares > _EXTINCT * squares.max(initial=0.0)]
    turns = np.rint([np.linalg.inv(rotation).T for rotation, _ in crystal.operations]).astype(int)
    found: dict[tuple[int, ...], list[Integers]] = {}
    for reflection in hkl:
        turned = [tuple(int(index) for index in turn @ reflection) for turn in turns]
        key = max(turned + [tuple(-index for index in other) for other in turned])
        found.setdefault(key, []).append(reflection)
    ordered = sorted(found, key=lambda key: (-round(float(crystal.spacing(np.array(key))), 9), key))
    return [np.array(found[key]) for key in ordered]
