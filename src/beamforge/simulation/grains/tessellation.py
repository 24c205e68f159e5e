"""Power diagrams (Laguerre tessellations) of the plane, which are Voronoi diagrams if all weights are equal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull

from beamforge.arrays import Float64

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Tessellation:
    """Cells around seeds, and the straight edges between them.

    Attributes
    ----------
    seeds
        (cell, 2) as (y, x).
    weights
        (cell,) squared radii; a cell holds the points whose squared distance to its seed, less its weight, is least.
    starts, ends
        (edge, 2) where each bounded edge begins and ends.
    cells
        (edge, 2) the two cells an edge parts.
    closed
        (cell,) whether all edges of the cell are bounded.
    """

    seeds: Float64
    weights: Float64
    starts: Float64
    ends: Float64
    cells: Indices
    closed: NDArray[np.bool_]

    def areas_and_centroids(self) -> tuple[Float64, Float64]:
        """Give area (cell,) and centroid (cell, 2); NaN for cells that are not closed or are empty."""
        area = np.zeros(len(self.seeds))
        moment = np.zeros_like(self.seeds)
        length = np.linalg.norm(self.ends - self.starts, axis=1)
        for side in (0, 1):
            own, other = self.cells[:, side], self.cells[:, 1 - side]
            seed, away = self.seeds[own], self.seeds[other] - self.seeds[own]
            # A triangle counts as negative where the edge lies behind the seed, as it may for unequal weights.
            height = ((self.starts - seed) * away).sum(axis=1) / np.linalg.norm(away, axis=1)
            triangle = 0.5 * height * length
            area += np.bincount(own, triangle, len(area))
            centre = (seed + self.starts + self.ends) / 3.0
            for axis in (0, 1):
                moment[:, axis] += np.bincount(own, triangle * centre[:, axis], len(area))
        usable = self.closed & (area > 0.0)
        divisor = np.where(usable, area, np.nan)
        return divisor, moment / divisor[:, None]


def power_diagram(seeds: Float64, weights: Float64) -> Tessellation:
    """Tessellate the plane: the lower convex hull of the seeds lifted to |s|² − w, seen from below.

    Parameters
    ----------
    seeds
        (cell, 2), at least 4 and in general position.
    weights
        (cell,).

    Notes
    -----
    Source: Aurenhammer 1987, "Power diagrams".
    """
    centre, scale = seeds.mean(axis=0), float(np.ptp(seeds))
    flat = (seeds - centre) / scale
    lifted = np.column_stack([flat, (flat**2).sum(axis=1) - weights / scale**2])
    hull = ConvexHull(lifted)
    lower = hull.equations[:, 2] < 0.0
    normals = hull.equations
    steep = np.where(lower, normals[:, 2], 1.0)
    vertices = -normals[:, :2] / (2.0 * steep[:, None]) * scale + centre
    facet, corner = np.nonzero(lower[:, None] & np.ones((1, 3), bool))
    neighbour = hull.neighbors[facet, corner]
    shared = np.stack([hull.simplices[facet, (corner + turn) % 3] for turn in (1, 2)], axis=1).astype(np.int64)
    closed = np.zeros(len(seeds), bool)
    closed[shared] = True
    closed[shared[~lower[neighbour]]] = False
    once = lower[neighbour] & (facet < neighbour)
    return Tessellation(seeds, weights, vertices[facet[once]], vertices[neighbour[once]], shared[once], closed)


def relaxed(seeds: Float64, weights: Float64, rounds: int) -> Tessellation:
    """Move each seed to its cell's centroid `rounds` times (Lloyd 1982); cells at the outside stay."""
    tessellation = power_diagram(seeds, weights)
    for _ in range(rounds):
        _, centroids = tessellation.areas_and_centroids()
        moved = np.where(np.isfinite(centroids), centroids, tessellation.seeds)
        tessellation = power_diagram(moved, weights)
    return tessellation


def merged(cells: Indices, count: int, share: float, rng: Generator) -> Indices:
    """Join neighbouring cells at random until about a share of them is gone.

    Parameters
    ----------
    cells
        (edge, 2) which cells touch.
    count
        Number of cells.
    share
        Part of the cells that is joined to another.
    rng
        Random stream.

    Returns
    -------
    (cell,) the group of each cell.
    """
    joins = min(round(share * count), len(cells))
    chosen = cells[rng.permutation(len(cells))[:joins]]
    graph = coo_array((np.ones(joins), (chosen[:, 0], chosen[:, 1])), shape=(count, count))
    _, groups = connected_components(graph, directed=False)
    return np.asarray(groups, np.int64)
