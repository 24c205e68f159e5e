"""The pillar: its contract, the shapes in it, and volumes made in any slabs."""

import numpy as np
import pytest
from numpy.random import default_rng
from scipy import ndimage

from beamforge.simulation import Sample
from beamforge.simulation.micropillar.bodies import Bodies
from beamforge.simulation.micropillar.growth import INCLUSION, MATRIX, PRECIPITATE, plates, random_rotation, rimmed
from beamforge.simulation.scenes.micropillar import Micropillar, labels_of
from contracts.step import StepContract

SMALL = Micropillar(tile=48, depth=9)


class TestMicropillarContract(StepContract):
    examples = [SMALL, Micropillar(tile=40, depth=3, scale=1.0, stringers=0.0)]

    def sample(self) -> Sample:
        return Sample.empty()


def test_a_ball_has_the_volume_of_a_ball_and_a_box_that_of_a_box() -> None:
    def volume(sharpness: float, radii: tuple[float, float, float], turn: np.ndarray) -> int:
        phases = np.ones((64, 64, 64), np.uint8)
        centre = np.full((1, 3), 31.3)
        bodies = Bodies(centre, turn[None], np.array([radii]), np.array([sharpness]), np.array([2]))
        bodies.fill(phases, 0)
        return int((phases == 2).sum())

    turn = random_rotation(default_rng(3))
    assert volume(2.0, (14.0, 14.0, 14.0), turn) == pytest.approx(4 / 3 * np.pi * 14**3, rel=0.01)
    assert volume(2.0, (20.0, 9.0, 5.0), turn) == pytest.approx(4 / 3 * np.pi * 20 * 9 * 5, rel=0.02)
    assert volume(60.0, (10.0, 8.0, 6.0), turn) == pytest.approx(8 * 10 * 8 * 6, rel=0.1)


def test_slabs_are_parts_of_the_whole_volume() -> None:
    parameters = SMALL.draw(Sample.empty(), default_rng(5))
    whole = SMALL.phases(parameters, 0, 9)
    parts = np.concatenate([SMALL.phases(parameters, start, min(start + 4, 9)) for start in (0, 4, 8)])
    np.testing.assert_array_equal(whole, parts)
    sample = SMALL.apply(Sample.empty(), parameters, default_rng(0))
    np.testing.assert_array_equal(sample.labels, labels_of(whole[4]))
    assert set(np.unique(whole)) <= {0, 1, 2, 3}


def test_particles_lie_in_the_pillar_and_the_pillar_in_the_view() -> None:
    pillar = Micropillar(tile=96, depth=5, radius=(0.6, 0.6))  # wider than the view: cut
    phases = pillar.phases(pillar.draw(Sample.empty(), default_rng(1)), 0, 5)
    y, x = np.mgrid[:96, :96] - 47.5
    assert (phases[:, np.hypot(y, x) > 46.5] == 0).all()
    filled = ndimage.binary_fill_holes(phases[2] > 0)
    assert (filled == (phases[2] > 0)).all()  # no air inside


def test_plates_are_flat_along_the_habit_planes_of_their_grain() -> None:
    rng = default_rng(2)
    grain = random_rotation(rng)
    found = plates(200, np.array([50.0, 50.0, 50.0]), grain, 1.0, rng)
    assert (found.radii[:, 0] < 0.7 * found.radii[:, 1]).mean() > 0.95
    octahedral = np.array([[1, 1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1]]) / np.sqrt(3) @ grain.T
    cosines = np.abs(found.axes[:, 0] @ octahedral.T).max(axis=1)
    assert np.degrees(np.arccos(np.clip(cosines, 0, 1))).max() < 15
    np.testing.assert_allclose(
        np.einsum("nij,nkj->nik", found.axes, found.axes), np.eye(3)[None].repeat(200, 0), atol=1e-9
    )


def test_a_composite_particle_is_a_core_inside_a_rim_of_the_other_phase() -> None:
    rng = default_rng(8)
    pair = rimmed(1, np.array([40.0, 40.0, 40.0]), 1.0, rng)
    pair = Bodies(np.full((2, 3), 20.0), pair.axes, pair.radii, pair.sharpness, pair.phases)
    phases = np.full((40, 40, 40), MATRIX, np.uint8)
    pair.fill(phases, 0)
    core = phases == pair.phases[1]
    around = ndimage.binary_dilation(core) & ~core
    assert set(np.unique(phases[around])) == {int(pair.phases[0])}
    assert {int(p) for p in pair.phases} == {PRECIPITATE, INCLUSION}
