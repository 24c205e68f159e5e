import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy.spatial.transform import Rotation

from beamforge.errors import InputError
from beamforge.grainmapping.completeness import SpotMaps
from beamforge.grainmapping.indexing import cubic_orientations, strongest_grains
from beamforge.physics.crystals import Crystal
from beamforge.physics.labdct import Geometry, Instrument
from beamforge.physics.orientations import disorientation, uniform_orientations
from beamforge.physics.structure_factors import families
from beamforge.simulation.labdct.rays import spot_places, turned_about_z

IRON = Crystal.named("Fe")
GEOMETRY = Geometry(
    source_to_sample=100.0, sample_to_detector=100.0, pixel_size=300.0, shape=(240, 240), tilts=(0.1, 2.0, -0.3),
    beam_stop=(100, 140, 100, 140),
)  # fmt: skip
INSTRUMENT = Instrument(geometry=GEOMETRY, energies=(15.0, 110.0))
ANGLES = np.arange(0.0, 360.0, 20.0)


def exact_places(orientation: np.ndarray, position: np.ndarray, angle: float) -> np.ndarray:
    """Spots of a grain on the detector outside the beam stop, by the forward model's rays."""
    vectors = np.concatenate(families(IRON, 4)) @ IRON.reciprocal.T
    turn = turned_about_z(angle)
    places, energies = spot_places(
        np.broadcast_to(turn @ position, vectors.shape), vectors @ orientation.T @ turn.T, GEOMETRY
    )
    with np.errstate(invalid="ignore"):
        kept = (energies >= 15.0) & (energies <= 110.0) & (np.rint(places) >= 0).all(1) & (np.rint(places) < 240).all(1)
    pixels = np.rint(places[kept]).astype(int)
    return np.unique(pixels[~GEOMETRY.shadowed()[tuple(pixels.T)]], axis=0)


def maps_of(grains: list[tuple[np.ndarray, np.ndarray]]) -> SpotMaps:
    masks = []
    for angle in ANGLES:
        mask = np.zeros(GEOMETRY.shape, bool)
        for orientation, position in grains:
            mask[tuple(exact_places(orientation, position, angle).T)] = True
        masks.append(mask)
    return SpotMaps.of(masks, ANGLES, IRON, INSTRUMENT)


def test_a_grain_is_complete_at_its_own_place_and_its_spots_are_those_of_the_exact_rays() -> None:
    orientation, position = uniform_orientations(1, default_rng(0))[0], np.array([0.2, -0.1, 0.15])
    share, predicted = maps_of([(orientation, position)]).completeness(orientation[None], position[None], 0.5)
    assert share[0] == 1.0
    wanted = sum(len(exact_places(orientation, position, angle)) for angle in ANGLES)
    # Different planes may share a pixel, which the list of pixels holds once.
    assert wanted <= predicted[0] <= 1.02 * wanted


def test_another_orientation_is_complete_only_by_chance() -> None:
    orientation = uniform_orientations(1, default_rng(0))[0]
    others = uniform_orientations(50, default_rng(5))
    share, _ = maps_of([(orientation, np.zeros(3))]).completeness(others, np.zeros((50, 3)), 1.0)
    assert share.mean() < 0.15


@given(seed=st.integers(0, 1000))
def test_every_orientation_has_a_neighbour_on_the_grid(seed: int) -> None:
    grid = cubic_orientations(6.0)
    one = uniform_orientations(1, default_rng(seed))
    nearest = disorientation(grid, np.broadcast_to(one, grid.shape), IRON.rotations).min()
    # The farthest point of a cubic cell is half a diagonal away: √3 / 2 of the spacing.
    assert nearest < 6.0 * np.sqrt(3) / 2 + 0.5


def test_the_grains_of_a_polycrystal_are_found() -> None:
    rng = default_rng(11)
    grains = [(o, rng.uniform(-0.3, 0.3, 3)) for o in uniform_orientations(3, rng)]
    found = strongest_grains(
        maps_of(grains), IRON.rotations, default_rng(1), spacing=3.0, candidates=12, grains=3, tolerance=1.0
    )
    for orientation, position in grains:
        near = [disorientation(g.orientation[None], orientation[None], IRON.rotations)[0] for g in found]
        grain = found[int(np.argmin(near))]
        assert min(near) < 0.3
        assert np.abs(grain.position - position).max() < 0.3
        assert grain.completeness > 0.9


def test_turned_orientations_are_rotations() -> None:
    grid = cubic_orientations(15.0)
    np.testing.assert_allclose(Rotation.from_matrix(grid).as_matrix(), grid, atol=1e-12)


@pytest.mark.parametrize(
    ("masks", "angles", "message"),
    [
        ([np.ones((240, 240), bool)] * 3, [0.0, 1.0], "2 rotation angles"),
        ([np.ones((20, 20), bool)], [0.0], "the instrument's detector"),
        ([np.zeros((240, 240), bool)], [0.0], "no projection holds a spot"),
    ],
)
def test_says_what_is_wrong(masks: list[np.ndarray], angles: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SpotMaps.of(masks, np.array(angles), IRON, INSTRUMENT)
