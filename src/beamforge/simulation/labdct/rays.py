"""Exact rays through cells of crystal: from the source to a cell, by the Laue condition on to the detector."""

from __future__ import annotations

import numpy as np

from beamforge.arrays import Float64
from beamforge.physics.labdct import Geometry
from beamforge.simulation.labdct.reflections import HC


def diffracted(points: Float64, vectors: Float64, source: Float64) -> tuple[Float64, Float64]:
    """Give direction and energy of what a reflection sends on.

    Of all energies that arrive along K the crystal takes the one whose Bragg angle fits: sin θ = -K·G / |K||G|,
    λ = 2 d sin θ.

    Parameters
    ----------
    points
        Places of the crystal (..., 3) in mm, in the laboratory's frame.
    vectors
        Scattering vectors (..., 3) in 1/Å, 2π included, turned with the sample.
    source
        Place of the source (..., 3) in mm.

    Returns
    -------
    directions
        (..., 3), not normalised: the wave vector in 1/Å.
    energies
        (...) in keV; NaN where the planes face away from the beam.
    """
    beam = points - source
    beam = beam / np.linalg.norm(beam, axis=-1, keepdims=True)
    square = np.sum(vectors**2, axis=-1)
    along = -np.sum(beam * vectors, axis=-1)  # |G| sin θ
    with np.errstate(divide="ignore", invalid="ignore"):
        wave = np.where(along > 0.0, 0.5 * square / along, np.nan)  # 2π / λ = |G| / (2 sin θ)
    return wave[..., None] * beam + vectors, wave * HC / (2.0 * np.pi)


def spot_places(
    points: Float64, vectors: Float64, geometry: Geometry, shift: Float64 | None = None
) -> tuple[Float64, Float64]:
    """Give row and column (..., 2) on the detector and energy (...) in keV of diffracted rays.

    Parameters
    ----------
    points, vectors
        As for `diffracted`.
    geometry
        Of the instrument.
    shift
        How far (..., 3) in mm the photon starts from the middle of the source.
    """
    source = geometry.source if shift is None else geometry.source + shift
    directions, energies = diffracted(points, vectors, source)
    return geometry.hits(points, directions), energies


def turned_about_z(degrees: float) -> Float64:
    """Give the rotation (3, 3) of the sample about the upright axis."""
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), -np.sin(angle), 0.0], [np.sin(angle), np.cos(angle), 0.0], [0.0, 0.0, 1.0]])
