import numpy as np
import pytest
from numpy.random import default_rng
from scipy.ndimage import gaussian_filter

from beamforge.errors import InputError
from beamforge.evaluation.grains import mean_intercept
from beamforge.simulation import Sample
from beamforge.simulation.grains.appearance import Appearance, MicrographAppearance
from beamforge.simulation.intensities.grain_greylevels import GrainGreylevels
from beamforge.simulation.scenes.voronoi_grains import GRAINS, VoronoiGrains

PLAIN = {
    "texture": 0.0,
    "striation": 0.0,
    "illumination": 0.0,
    "boundary_contrast": 0.0,
    "contrast": 1.0,
    "separation": 0.0,
}


def micrograph(seed, *, diameter=30.0, **settings):
    scene = VoronoiGrains(tile=320, diameter=diameter, joined=0.0)
    empty = Sample.empty()
    before = scene.apply(empty, scene.draw(empty, default_rng(seed)), default_rng(seed))
    step = GrainGreylevels(**{**PLAIN, "noise": 5.0, "blur": 1.0, **settings})
    return step.apply(before, step.draw(before, default_rng(seed)), default_rng(seed)).image, before.extras[GRAINS]


def fitted(seed, **settings):
    image, _ = micrograph(seed, **settings)
    return MicrographAppearance.fit(image, default_rng(0))


@pytest.mark.parametrize("noise", [3.0, 8.0])
def test_white_noise_is_found_white_and_as_strong(noise):
    found = fitted(1, noise=noise, channels=3)
    strength = np.sqrt((found.noise_mixing**2).sum(axis=1))
    # The median that noise is told from takes a little of it away.
    np.testing.assert_allclose(strength, noise, rtol=0.12)
    middle = found.noise_kernels.shape[1] // 2
    assert (found.noise_kernels[:, middle, middle] > 0.9).all()


def test_correlated_noise_comes_back_with_its_correlation():
    image, _ = micrograph(2, noise=0.0)
    noise = gaussian_filter(default_rng(3).standard_normal(image.shape), (0, 0.55, 0.55))
    noise *= 6.0 / noise.std()
    found = MicrographAppearance.fit((image + noise).astype(np.float32), default_rng(0))
    kernel = found.noise_kernels[0].astype(np.float64)
    correlation = (kernel[:, 1:] * kernel[:, :-1]).sum()
    weights = gaussian_filter(np.eye(1, 15, 7)[0], 0.55)
    expected = (weights[1:] * weights[:-1]).sum() / (weights**2).sum()
    # The median that noise is told from takes its slow part for tones.
    assert expected - 0.1 < correlation < expected


def test_a_channel_that_is_empty_stays_without_noise():
    image, _ = micrograph(2, channels=3)
    image[1:] = 0.0
    found = MicrographAppearance.fit(image, default_rng(0))
    strength = np.sqrt((found.noise_mixing**2).sum(axis=1))
    assert strength[0] == pytest.approx(5.0, rel=0.12)
    assert strength[1:].max() < 0.01
    assert np.isfinite(found.noise_kernels).all()


@pytest.mark.parametrize("diameter", [20.0, 40.0])
def test_the_mean_intercept_is_found_without_seeing_a_boundary(diameter):
    true, found = [], []
    for seed in range(3):
        image, grains = micrograph(seed, diameter=diameter)
        true.append(mean_intercept(grains))
        found.append(MicrographAppearance.fit(image, default_rng(0)).intercept)
    assert np.mean(found) == pytest.approx(np.mean(true), rel=0.3)


@pytest.mark.parametrize("blur", [0.6, 1.5])
def test_the_blur_of_steps_is_found(blur):
    assert fitted(4, blur=blur, noise=2.0).blur == pytest.approx(blur, abs=0.3)


def test_dark_boundaries_are_told_from_none():
    assert abs(fitted(5).boundary_contrast) < 2.0
    assert fitted(5, boundary_contrast=-50.0, boundary_width=1.5).boundary_contrast < -3.0


def test_a_slope_of_brightness_is_found():
    image, _ = micrograph(6, tones=[120.0, 140.0])
    slope = np.linspace(-30.0, 30.0, image.shape[2], dtype=np.float32)
    assert fitted(6, tones=[120.0, 140.0]).illumination < 3.0
    found = MicrographAppearance.fit(image + slope, default_rng(0))
    assert found.illumination == pytest.approx(slope.std(), rel=0.15)


def test_tones_are_those_of_the_grains():
    image, grains = micrograph(7, noise=2.0)
    tones = MicrographAppearance.fit(image, default_rng(0)).tones[:, 0]
    true = np.array([np.median(image[0, grains == number]) for number in range(int(grains.max()) + 1)])
    assert np.abs(tones[:, None] - true).min(axis=1).max() < 6.0
    assert tones.std() == pytest.approx(image.std(), rel=0.2)


def test_the_appearance_of_several_micrographs():
    images = [micrograph(seed)[0] for seed in (1, 2)]
    appearance = Appearance.fit(images, default_rng(0))
    assert (len(appearance.micrographs), appearance.channels) == (2, 1)
    assert appearance.diameter == pytest.approx(30.0, rel=0.5)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ([], "no image"),
        ([np.zeros((1, 80, 80), np.float32)], "same everywhere"),
        ([np.zeros((1, 20, 80), np.float32)], "at least 64"),
        ([np.full((1, 80, 80), np.nan, np.float32)], "not finite"),
        ([np.zeros((1, 80, 80), np.float32), np.zeros((3, 80, 80), np.float32)], "all into grey"),
    ],
)
def test_images_that_cannot_be_learnt_from_are_named(images, words):
    with pytest.raises(InputError, match=words):
        Appearance.fit(images, default_rng(0))
