import numpy as np
import pytest
from numpy.random import default_rng
from pydantic import ValidationError

from beamforge.errors import InputError
from beamforge.simulation import Sample
from beamforge.simulation.grains.contacts import contacts
from beamforge.simulation.intensities.grain_greylevels import GrainGreylevels
from beamforge.simulation.scenes.voronoi_grains import BOUNDARY_DISTANCE, GRAINS, VoronoiGrains
from contracts.step import StepContract

NONE = ("texture", "striation", "illumination", "noise", "boundary_contrast", "blur")
BARE = {**dict.fromkeys(NONE, 0.0), "contrast": 1.0}


def scene(seed=1, **settings):
    step = VoronoiGrains(**{"tile": 96, "diameter": 24.0, **settings})
    return step.apply(Sample.empty(), step.draw(Sample.empty(), default_rng(seed)), default_rng(seed))


def painted(before, seed=2, **settings):
    step = GrainGreylevels(**settings)
    return step.apply(before, step.draw(before, default_rng(seed)), default_rng(seed)).image


def learnt():
    images = [painted(scene(seed), seed, channels=3) for seed in (1, 2)]
    return GrainGreylevels.fit_to(images, default_rng(0))


class TestGrainGreylevelsContract(StepContract):
    examples = [GrainGreylevels(), GrainGreylevels(channels=3, noise=0.0), learnt()]

    def sample(self):
        return scene(3, tile=80)


@pytest.mark.parametrize("channels", [1, 3])
def test_bare_grains_have_one_tone_each(channels):
    before = scene()
    image = painted(before, channels=channels, **BARE)
    grains = before.extras[GRAINS]
    for number in range(int(grains.max()) + 1):
        tone = image[:, grains == number]
        assert np.ptp(tone, axis=1).max() == 0.0
        assert (tone >= 40.0).all()
        assert (tone <= 215.0).all()


def test_noise_and_texture_have_the_spread_asked_for():
    before = scene(tile=256, diameter=20.0)
    bare = painted(before, **BARE)
    noisy = painted(before, **{**BARE, "noise": 7.0})
    assert (noisy - bare).std() == pytest.approx(7.0, rel=0.02)
    textured = [painted(before, seed, **{**BARE, "texture": 9.0}) - painted(before, seed, **BARE) for seed in range(8)]
    assert np.std(textured) == pytest.approx(9.0, rel=0.25)
    striped = [painted(before, seed, **{**BARE, "striation": 9.0}) - painted(before, seed, **BARE) for seed in range(8)]
    # Half of the grains have stripes.
    assert np.std(striped) == pytest.approx(9.0 * np.sqrt(0.5), rel=0.25)


def test_illumination_is_slow_and_of_the_spread_asked_for():
    before = scene()
    added = painted(before, **{**BARE, "illumination": 10.0}) - painted(before, **BARE)
    assert added.std() == pytest.approx(10.0, rel=1e-3)
    assert np.abs(np.diff(added, 3, axis=2)).max() < 1e-3


def test_boundaries_have_a_gaussian_profile():
    before = scene()
    bare = painted(before, **BARE)
    marked = painted(before, **{**BARE, "boundary_contrast": -30.0, "boundary_width": 1.2})
    distance = before.extras[BOUNDARY_DISTANCE]
    within = distance < 4.9
    expected = -30.0 * np.exp(-0.5 * (distance / 1.2) ** 2)
    np.testing.assert_allclose((marked - bare)[0, within], expected[within], atol=1e-3)


def test_neighbours_are_as_far_apart_as_asked():
    before = scene(diameter=30.0)
    grains = before.extras[GRAINS]
    pairs = contacts(grains)

    def least_gap(separation):
        image = painted(before, **BARE, separation=separation)
        tones = np.array([image[0, grains == number].mean() for number in range(int(grains.max()) + 1)])
        return np.sort(np.abs(tones[pairs[:, 0]] - tones[pairs[:, 1]]))

    # A few grains between many others find no such tone among those tried.
    assert np.quantile(least_gap(25.0), 0.1) >= 25.0
    assert np.quantile(least_gap(0.0), 0.1) < 25.0


def test_with_an_appearance_tones_are_those_of_its_micrographs():
    step = learnt()
    before = scene(5)
    bare = {**dict.fromkeys(NONE, 0.0), "separation": 0.0, "contrast": 1.0}
    plain = step.model_validate({**step.model_dump(), **bare})
    drawn = plain.draw(before, default_rng(1))
    image = plain.apply(before, {**drawn, "boundary_contrast": 0.0}, default_rng(1)).image
    tones = plain.appearance.micrographs[drawn["micrograph"]].tones
    far = before.extras[BOUNDARY_DISTANCE] >= 5.0
    colours = np.unique(image[:, far].T, axis=0)
    nearest = np.linalg.norm(colours[:, None] - tones, axis=2).min(axis=1)
    assert nearest.max() < 1e-2


def test_the_order_of_steps_and_channels_is_checked():
    with pytest.raises(InputError, match="voronoi_grains"):
        painted(Sample.empty())
    with pytest.raises(ValidationError, match="3 channels"):
        GrainGreylevels(channels=1, appearance=learnt().appearance)
