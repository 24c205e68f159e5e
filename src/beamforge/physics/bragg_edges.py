"""Wavelengths beyond which a crystalline material no longer scatters neutrons coherently."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Literal

import numpy as np

from beamforge.arrays import Float64
from beamforge.errors import InputError, one_of

Lattice = Literal["primitive", "bcc", "fcc"]
_PLANCK_OVER_NEUTRON_MASS = 3956.0340  # Å m/s, CODATA 2018
_THERMAL = 1.798
"""Wavelength in Å that tables of absorption are for."""
_ANGSTROM_PER_CM = 1e8


def wavelength_of_flight(time_s: Float64 | float, path_m: float) -> Float64:
    """Give the wavelength in Å of neutrons that fly `path_m` in `time_s`: λ = h t / (m L).

    Raises
    ------
    InputError
        If the path is not positive.
    """
    if not path_m > 0:
        raise InputError(f"the flight path is {path_m} m, expected more than 0")
    return np.asarray(_PLANCK_OVER_NEUTRON_MASS * np.asarray(time_s, dtype=np.float64) / path_m)


def bragg_edges(lattice_constant: float, lattice: Lattice, *, count: int = 6) -> dict[str, float]:
    """Give the longest-wavelength Bragg edges of a cubic crystal, λ = 2 d = 2 a / √(h² + k² + l²).

    Parameters
    ----------
    lattice_constant
        Side a of the cubic cell in Å, such as 2.866 for ferrite and 3.59 for austenite.
    lattice
        Its centring, which decides what reflections are extinct.
    count
        How many edges.

    Returns
    -------
    Wavelengths in Å by Miller indices, such as ``{"110": 4.05, ...}``, from long to short.

    Raises
    ------
    InputError
        If the lattice is none of the three or its constant is not positive.
    """
    if lattice not in ("primitive", "bcc", "fcc"):
        raise one_of("lattice", lattice, ("primitive", "bcc", "fcc"))
    if not lattice_constant > 0:
        raise InputError(f"the lattice constant is {lattice_constant} Å, expected more than 0")
    largest = 2 * count + 2
    found: dict[int, str] = {}
    for l_, k, h in combinations_with_replacement(range(largest), 3):
        squares = h * h + k * k + l_ * l_
        if 0 < squares < largest**2 and _reflects(h, k, l_, lattice):
            found.setdefault(squares, f"{h}{k}{l_}")
    return {found[squares]: 2 * lattice_constant / squares**0.5 for squares in sorted(found)[:count]}


def _reflects(h: int, k: int, l_: int, lattice: Lattice) -> bool:
    if lattice == "bcc":
        return (h + k + l_) % 2 == 0
    return lattice == "primitive" or h % 2 == k % 2 == l_ % 2


def crystal_attenuation(
    element: str,
    wavelengths: Float64,
    lattice_constant: float,
    lattice: Lattice,
    *,
    debye_waller: float = 0.35,
) -> Float64:
    """Give the attenuation coefficient of a polycrystal of one element in 1/cm, with its Bragg edges.

    Coherent elastic scattering of a powder is λ²/(2 V²) Σ |F|² d exp(−B/(2 d²)) over all planes with 2 d > λ, V being
    the volume of the cell; incoherent scattering and absorption, which grows with λ, are those of periodictable.
    Texture, grain size and inelastic scattering are left out.

    Source: Fermi, Sturm and Sachs 1947 (Phys. Rev. 71, 589); Vogel 2000 (thesis, Kiel), Eq. 2.31.

    Parameters
    ----------
    element
        Symbol, such as ``"Fe"``.
    wavelengths
        (bin,) in Å.
    lattice_constant
        Of the cubic cell in Å.
    lattice
        Its centring, with one atom at each lattice point.
    debye_waller
        Isotropic factor B in Å².

    Returns
    -------
    (bin,) in 1/cm.

    Raises
    ------
    InputError
        If the element is unknown or a wavelength or the lattice is impossible.
    """
    import periodictable

    atoms = {"primitive": 1, "bcc": 2, "fcc": 4}
    if lattice not in atoms:
        raise one_of("lattice", lattice, atoms)
    waves = np.asarray(wavelengths, dtype=np.float64)
    if not (lattice_constant > 0 and waves.size and (waves > 0).all()):
        raise InputError(f"the lattice constant is {lattice_constant} Å; it and all wavelengths must be above 0")
    try:
        neutron = periodictable.elements.symbol(element).neutron
    except ValueError as error:
        raise InputError(f"{element!r} is not the symbol of an element") from error
    squares, planes = _planes(lattice, largest=2.0 * lattice_constant / float(waves.min()))
    spacing = lattice_constant / np.sqrt(squares)
    # fm to Å; the number of atoms in phase is that of the cell for every reflection that is not extinct.
    if neutron.b_c is None or neutron.incoherent is None or neutron.absorption is None:
        raise InputError(f"the tables know no scattering of {element}")
    amplitude = atoms[lattice] * float(neutron.b_c) * 1e-5
    strength = planes * amplitude**2 * spacing * np.exp(-debye_waller / (2.0 * spacing**2))
    contributing = np.where(2.0 * spacing[None, :] > waves[:, None], strength[None, :], 0.0).sum(axis=1)
    volume = lattice_constant**3
    coherent = waves**2 / (2.0 * volume**2) * contributing
    # Barns to Å² are 1e-8.
    others = float(neutron.incoherent) + float(neutron.absorption) * waves / _THERMAL
    per_angstrom = coherent + atoms[lattice] / volume * others * 1e-8
    return np.asarray(per_angstrom * _ANGSTROM_PER_CM)


def _planes(lattice: Lattice, largest: float) -> tuple[Float64, Float64]:
    """Give h² + k² + l² below a bound squared, and how many planes (h, k, l of any sign) each has."""
    reach = int(np.ceil(largest)) + 1
    index = np.arange(-reach, reach + 1)
    h, k, l_ = np.meshgrid(index, index, index, indexing="ij")
    if lattice == "bcc":
        reflects = (h + k + l_) % 2 == 0
    elif lattice == "fcc":
        reflects = (h % 2 == k % 2) & (k % 2 == l_ % 2)
    else:
        reflects = np.ones(h.shape, bool)
    squares = (h**2 + k**2 + l_**2)[reflects]
    squares = squares[(squares > 0) & (squares < largest**2)]
    values, counts = np.unique(squares, return_counts=True)
    return values.astype(np.float64), counts.astype(np.float64)
