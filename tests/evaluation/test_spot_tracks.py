import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.evaluation.spot_tracks import followed, track_agreement
from beamforge.physics.crystals import Crystal
from beamforge.physics.labdct import Geometry, Instrument, projection_angles
from beamforge.physics.orientations import uniform_orientations
from beamforge.physics.structure_factors import families
from beamforge.simulation.labdct.rays import spot_places, turned_about_z
from beamforge.stack import as_stack

GEOMETRY = Instrument.named("far-field-iron").geometry


def spots(angle: float, orientations: np.ndarray, geometry: Geometry = GEOMETRY) -> tuple[np.ndarray, np.ndarray]:
    """Exact places and energies of the spots of grains at the centre, by the forward model's rays."""
    crystal = Crystal.named("Fe")
    vectors = np.concatenate(families(crystal, 3)) @ crystal.reciprocal.T
    turned = np.einsum("ij,gjk,rk->gri", turned_about_z(angle), orientations, vectors).reshape(-1, 3)
    return spot_places(np.zeros_like(turned), turned, geometry)


def on_detector(places: np.ndarray, energies: np.ndarray) -> np.ndarray:
    inside = ((places >= 0) & (places <= 1023)).all(axis=1) & (energies > 15) & (energies < 110)
    return places[inside]


def test_spots_are_followed_to_where_exact_rays_send_them() -> None:
    grains = uniform_orientations(5, default_rng(1))
    before, energies = spots(20.0, grains)
    after, _ = spots(26.0, grains)
    kept = np.isfinite(before).all(axis=1) & np.isfinite(after).all(axis=1) & (energies < 110)
    assert kept.sum() > 20
    np.testing.assert_allclose(followed(before[kept], GEOMETRY, 6.0), after[kept], atol=1e-6)


def test_real_tracks_agree_and_random_places_do_only_by_chance() -> None:
    angles = np.arange(0.0, 60.0, 6.0)
    grains = uniform_orientations(4, default_rng(2))
    found = [on_detector(*spots(angle, grains)) for angle in angles]
    result = track_agreement(found, angles, GEOMETRY)
    assert result.agreement > 0.7
    assert result.chance < 0.1
    rng = default_rng(3)
    scattered = [rng.uniform(0, 1023, places.shape) for places in found]
    assert abs(track_agreement(scattered, angles, GEOMETRY).beyond_chance) < 0.05


def test_says_what_is_missing() -> None:
    with pytest.raises(InputError, match="2 or more"):
        track_agreement([np.zeros((3, 2))], np.zeros(1), GEOMETRY)
    with pytest.raises(InputError, match="carries no rotation angles"):
        projection_angles(as_stack(np.zeros((3, 4, 4), np.float32)))
