"""A blind measure for real projections: whether spots go on where a turning crystal would send them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.physics.labdct import Geometry


@dataclass(frozen=True)
class TrackAgreement:
    """How often spots have partners in the neighbouring projections.

    Attributes
    ----------
    agreement
        Share of the predicted places on the detector at which there is a spot.
    chance
        The same for places predicted with the sample turned the other way, where spots are met by chance.
    predictions
        How many places were looked at.
    """

    agreement: float
    chance: float
    predictions: int

    @property
    def beyond_chance(self) -> float:
        """Share of spots with a partner that chance does not explain: (agreement - chance) / (1 - chance)."""
        return (self.agreement - self.chance) / (1.0 - self.chance)


def followed(places: Float64, geometry: Geometry, turn: float) -> Float64:
    """Predict where spots are after the sample has turned.

    A spot at a place, of a crystal at the centre, says which planes reflect: their normal is half way between the ray
    to the spot and the beam. The planes turn with the sample and go on reflecting the same place's beam, at another
    energy; how far apart they are does not matter.

    Parameters
    ----------
    places
        Rows and columns (spot, 2).
    geometry
        Of the instrument.
    turn
        Degrees about the upright axis.

    Returns
    -------
    Rows and columns (spot, 2); NaN where planes then face away or the ray misses the detector's plane.
    """
    rows, columns = geometry.centre
    _, across, up = geometry.axes.T
    offset = (columns - places[:, 1:]) * across + (rows - places[:, :1]) * up
    rays = np.array([geometry.sample_to_detector, 0.0, 0.0]) + geometry.pixel * offset
    rays = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    planes = rays - np.array([1.0, 0.0, 0.0])
    length = np.linalg.norm(planes, axis=1, keepdims=True)
    planes = np.divide(planes, length, out=np.full_like(planes, np.nan), where=length > 0.0)
    angle = np.radians(turn)
    x = np.cos(angle) * planes[:, 0] - np.sin(angle) * planes[:, 1]
    y = np.sin(angle) * planes[:, 0] + np.cos(angle) * planes[:, 1]
    turned = np.stack([x, y, planes[:, 2]], axis=1)
    turned[turned[:, 0] >= 0.0] = np.nan
    reflected = np.array([1.0, 0.0, 0.0]) - 2.0 * turned[:, :1] * turned
    return geometry.hits(np.zeros_like(reflected), reflected)


def track_agreement(
    spots: Sequence[Float64], angles: Float64, geometry: Geometry, *, radius: float = 4.0
) -> TrackAgreement:
    """Measure how many spots go on in the projections before and after.

    Parameters
    ----------
    spots
        Rows and columns (spot, 2) of the spots of each projection.
    angles
        Rotation (projection,) in degrees.
    geometry
        Of the instrument.
    radius
        How far in px a spot may be from where it is expected; grains off the axis are beside it.

    Raises
    ------
    InputError
        If the numbers differ or there are fewer than two projections.
    """
    if len(spots) != len(angles) or len(spots) < 2:
        raise InputError(f"spots of {len(spots)} projections and {len(angles)} angles; expected the same, 2 or more")
    trees = [cKDTree(places) if len(places) else None for places in spots]
    counts = np.zeros((2, 2))
    for number, places in enumerate(spots):
        for other in (number - 1, number + 1):
            if 0 <= other < len(spots) and len(places):
                turn = float(angles[other] - angles[number])
                for row, sign in enumerate((1.0, -1.0)):
                    counts[row] += _met(followed(places, geometry, sign * turn), trees[other], geometry, radius)
    if not counts[:, 1].all():
        raise InputError("no spot has a predicted place on the detector; check the geometry and the angles")
    agreement, chance = counts[:, 0] / counts[:, 1]
    return TrackAgreement(float(agreement), float(chance), int(counts[0, 1]))


def _met(places: Float64, tree: cKDTree | None, geometry: Geometry, radius: float) -> Float64:
    """Count the predicted places that hold a spot, and those on the detector outside the beam stop."""
    rows, columns = geometry.shape
    with np.errstate(invalid="ignore"):
        inside = ((places >= 0.0) & (places <= np.array([rows - 1, columns - 1]))).all(axis=1)
    places = places[inside]
    hidden = geometry.shadowed()[tuple(np.rint(places).astype(np.int64).T)]
    places = places[~hidden]
    if tree is None or not len(places):
        return np.array([0, len(places)])
    return np.array([np.count_nonzero(tree.query(places, distance_upper_bound=radius)[0] <= radius), len(places)])
