"""Wavelengths beyond which a crystalline material no longer scatters neutrons coherently."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Literal

import numpy as np

from beamforge.arrays import Float64
from beamforge.errors import InputError, one_of

Lattice = Literal["primitive", "bcc", "fcc"]
_PLANCK_OVER_NEUTRON_MASS = 3956.0340  # Å m/s, CODATA 2018


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
