import numpy as np
import pytest
from numpy.random import default_rng
from pydantic import ValidationError
from scipy.ndimage import label

from beamforge.evaluation.boundaries import drawn_width
from beamforge.evaluation.grains import GrainSizes
from beamforge.simulation import Sample
from beamforge.simulation.intensities.grain_greylevels import GrainGreylevels
from beamforge.simulation.scenes.voronoi_grains import BOUNDARY_DISTANCE, GRAINS, REACH, VoronoiGrains
from contracts.step import StepContract


class TestVoronoiGrainsContract(StepContract):
    examples = [VoronoiGrains(tile=96), VoronoiGrains(tile=64, diameter=12.0, thickness=[2.0, 7.0], relaxation=2)]


def made(seed=1, **settings):
    scene = VoronoiGrains(**{"tile": 160, **settings})
    empty = Sample.empty()
    return scene.apply(empty, scene.draw(empty, default_rng(seed)), default_rng(seed + 100))


def sizes(seed=1, **settings):
    return GrainSizes.of(made(seed, **settings).extras[GRAINS] + 1)


def test_labels_are_the_surroundings_of_the_boundaries():
    sample = made(thickness=5.0)
    distance = sample.extras[BOUNDARY_DISTANCE]
    np.testing.assert_array_equal(sample.labels == 1, distance <= 2.5)
    assert distance.max() == REACH


def test_every_grain_hangs_together_and_is_bounded():
    sample = made(diameter=25.0)
    grains = sample.extras[GRAINS]
    for number in range(int(grains.max()) + 1):
        assert label(grains == number)[1] == 1
    for axis in (0, 1):
        both = np.stack([np.delete(sample.extras[BOUNDARY_DISTANCE], at, axis) for at in (0, -1)])
        steps = np.diff(grains, axis=axis) != 0
        # Specks of less than 9 px go to a neighbour, so that its border lies their radius beside the line.
        assert both.min(axis=0)[steps].max() <= np.sqrt(9 / np.pi)


@pytest.mark.parametrize("settings", [{"joined": 0.0}, {"joined": 0.4}, {"joined": 0.0, "elongation": 2.0}])
def test_grains_have_the_diameter_asked_for(settings):
    fixed = {"tile": 256, "diameter": 24.0, "size_spread": 0.0, "waviness": 0.05, "smoothness": 1.5}
    areas = [sizes(seed, **fixed, **settings).mean_area for seed in range(4)]
    assert np.sqrt(4 / np.pi * np.mean(areas)) == pytest.approx(24.0, rel=0.08)


def test_laguerre_weights_spread_sizes_and_relaxation_evens_them():
    fixed = {"tile": 320, "diameter": 24.0, "joined": 0.0, "waviness": 0.05}
    spread = {}
    for name, more in {
        "relaxed": {"size_spread": 0.0, "relaxation": 3},
        "plain": {"size_spread": 0.0, "relaxation": 0},
        "laguerre": {"size_spread": 0.6, "relaxation": 3},
    }.items():
        diameters = sizes(**fixed, **more).diameters
        spread[name] = diameters.std() / diameters.mean()
    assert spread["relaxed"] < 0.75 * spread["plain"]
    assert spread["laguerre"] > 1.5 * spread["relaxed"]


@pytest.mark.parametrize("thickness", [3.0, 6.0])
def test_boundaries_are_as_thick_as_asked(thickness):
    sample = made(thickness=thickness, diameter=60.0, waviness=0.05, smoothness=2.0, tile=320)
    assert drawn_width(sample.labels == 1) == pytest.approx(thickness, rel=0.12)


def test_elongated_grains_are_longer_along_one_direction():
    grains = made(3, tile=320, diameter=30.0, elongation=3.0, joined=0.0).extras[GRAINS]
    places = np.indices(grains.shape).reshape(2, -1)
    moments = np.zeros((2, 2))
    for number in range(int(grains.max()) + 1):
        moments += np.cov(places[:, grains.ravel() == number], ddof=0)
    least, most = np.linalg.eigvalsh(moments)
    assert np.sqrt(most / least) == pytest.approx(3.0, rel=0.2)


def test_the_diameter_is_learnt_from_pictures() -> None:
    step = GrainGreylevels(noise=4.0, illumination=0.0)
    images = []
    for seed in range(3):
        before = made(seed, tile=320, diameter=30.0, joined=0.0)
        images.append(step.apply(before, step.draw(before, default_rng(seed)), default_rng(seed)).image)
    learnt = VoronoiGrains.fit_to(images, default_rng(0), tile=64, thickness=3.0)
    assert learnt.diameter.low < 30.0 < learnt.diameter.high
    assert np.sqrt(learnt.diameter.low * learnt.diameter.high) == pytest.approx(30.0, rel=0.4)
    assert (learnt.tile, learnt.thickness.low) == (64, 3.0)


@pytest.mark.parametrize("thickness", [0.0, 11.0])
def test_a_thickness_out_of_reach_is_refused(thickness):
    with pytest.raises(ValidationError, match="px wide"):
        VoronoiGrains(thickness=thickness)
