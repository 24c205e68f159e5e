"""What an engine needs to trace the rays of a projection, and to lay them out as spots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from beamforge.arrays import Float32, Float64, Integers


@dataclass(frozen=True)
class TraceJob:
    """Parts of spots whose rays are to be traced; lengths in mm, in the laboratory's frame.

    Attributes
    ----------
    grains, families
        Grain (part,) from 0 and family (part,) of each part's reflection.
    vectors, bases
        Scattering vectors (part, 3) in 1/Å; row and column (part, 2) that rays are counted from.
    offsets
        Rays of a part are ``offsets[p]`` to ``offsets[p + 1]``, one for each cell of its grain.
    first, points, volumes, entries
        Cells of a grain are ``first[g]`` to ``first[g + 1]``: centres (cell, 3), volumes (cell,), and the way (cell,)
        of the beam inside the sample before them.
    source
        (3,)
    body
        Kind, half widths, cosine and sine of the rotation (6,).
    detector
        Origin, normal, y axis, z axis, and (pixel, row, column of the beam): (5, 3).
    photons, absorption
        Tables (family, energy) and (energy,).
    scale
        Lowest energy and step of the tables in keV, and hc / 2π in keV Å.
    """

    grains: Integers
    families: Integers
    vectors: Float64
    bases: Float64
    offsets: Integers
    first: Integers
    points: Float64
    volumes: Float64
    entries: Float64
    source: Float64
    body: Float64
    detector: Float64
    photons: Float64
    absorption: Float64
    scale: Float64


@dataclass(frozen=True)
class PaintJob:
    """Traced rays and the patches they are to fill.

    Attributes
    ----------
    offsets, rays
        Rays of a spot are ``offsets[s]`` to ``offsets[s + 1]`` of ``rays`` (ray, 3): row, column, photons.
    corners
        Row and column (spot, 2) of each patch's first pixel, counted as those of the rays.
    shapes, places
        Rows and columns (spot, 2) of the patches, 0 for a spot to be left out, and where each begins in the result.
    spreads, reaches
        Variances of rows, of columns, and covariance (spot, 3) in px², and reach (spot,) in px, of the blur.
    """

    offsets: Integers
    rays: Float32
    corners: Float64
    shapes: Integers
    places: Integers
    spreads: Float64
    reaches: Integers


class Engine(Protocol):
    """Traces rays and paints spots."""

    def trace(self, job: TraceJob) -> tuple[Float32, Float64]:
        """Give rays (ray, 3) and, for each part, sums (part, 8).

        The sums are of photons, photons times row, column and energy; then lowest and highest row, lowest and highest
        column of the rays that carry photons.
        """
        ...

    def paint(self, job: PaintJob) -> Float32:
        """Give all patches in a row."""
        ...
