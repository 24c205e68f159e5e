from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.random import default_rng
from scipy.ndimage import gaussian_filter

from beamforge.errors import InputError
from beamforge.io import open_stack
from beamforge.simulation.degradations.diffraction_background import (
    BACKGROUND,
    CLEAN,
    DiffractionBackground,
    extract_background,
    fill_spots_by_edges,
    spots_by_edges,
)
from beamforge.simulation.sample import Sample
from contracts.step import StepContract


def projection(size: int = 48) -> Sample:
    image = np.zeros((1, size, size), np.float32)
    image[0, 10:14, 20:26] = 80.0
    return Sample(image=image, labels=(image[0] > 0).astype(np.uint8))


LEARNT = (0.5 + 0.5 * np.random.default_rng(0).random((60, 64))).astype(np.float32)
LEARNT /= LEARNT.max()


class TestDiffractionBackgroundContract(StepContract):
    examples = [
        DiffractionBackground(),
        DiffractionBackground(background=LEARNT, level=[60, 400], brightness=[0.1, 1.0]),
        DiffractionBackground(noise="counted", gain=[0.5, 2.0], read_out=[0.0, 4.0], beam_stop=1.0),
        DiffractionBackground(noise="counted", grain=[0.1, 0.5], grain_sigma=1.5),
    ]

    def sample(self) -> Sample:
        return projection()


def apply(step: DiffractionBackground, seed: int = 3) -> tuple[Sample, dict[str, object]]:
    before = projection()
    parameters = step.draw(before, default_rng(seed))
    return step.apply(before, parameters, default_rng(seed + 1)), parameters


@pytest.mark.parametrize("noise", ["paper", "counted"])
def test_mean_and_variance_are_those_of_the_equations(noise: str) -> None:
    step = DiffractionBackground(noise=noise, level=110.0, gain=1.5, read_out=3.0, tau=0.5, beam_stop=0.0)
    before = projection()
    parameters = step.draw(before, default_rng(0))
    runs = [step.apply(before, parameters, default_rng(n)) for n in range(300)]
    images = np.stack([run.image[0] for run in runs])
    expected = runs[0].extras[BACKGROUND] + runs[0].extras[CLEAN]
    x0 = expected / 1.25 if noise == "paper" else expected
    variance = 0.5**2 * 0.5 * x0 if noise == "paper" else 1.5 * x0 + 9.0
    # Means over 300 runs of 2304 pixels: five standard errors of a pixel.
    assert (np.abs(images.mean(axis=0) - expected) < 5.0 * np.sqrt(variance / 300)).all()
    assert images.var(axis=0).mean() == pytest.approx(variance.mean(), rel=0.02)


@pytest.mark.parametrize("noise", ["paper", "counted"])
def test_grain_adds_its_share_of_the_noise_and_reaches_to_neighbours(noise: str) -> None:
    plain, grainy = (
        DiffractionBackground(noise=noise, level=400.0, beam_stop=0.0, read_out=3.0, grain=grain, grain_sigma=1.2)
        for grain in (0.0, 0.5)
    )
    before = Sample(image=np.zeros((1, 256, 256), np.float32), labels=np.zeros((256, 256), np.uint8))
    parameters = grainy.draw(before, default_rng(0))
    fields = []
    for step, grain in ((plain, 0.0), (grainy, 0.5)):
        after = step.apply(before, {**parameters, "grain": grain}, default_rng(1))
        fields.append(after.image[0] - after.extras[BACKGROUND])
    # Over 65536 pixels, of which grain leaves about 65536 / 18 free: 2 to 3 % of a variance.
    assert fields[1].var() / fields[0].var() == pytest.approx(1.25, rel=0.04)
    np.testing.assert_allclose(np.mean(fields[0][:, 1:] * fields[0][:, :-1]) / fields[0].var(), 0.0, atol=0.02)
    # The product of a Gaussian with itself one pixel away: exp(-1 / 4σ²) = 0.84.
    shared = np.mean(fields[1][:, 1:] * fields[1][:, :-1]) / fields[0].var()
    assert shared == pytest.approx(0.25 * 0.84, abs=0.03)


def test_the_ratio_lies_within_the_counting_noise_of_the_level() -> None:
    ratios = [apply(DiffractionBackground(level=100.0), seed)[1]["ratio"] for seed in range(200)]
    assert 90.0 <= min(ratios) < 91.0
    assert 109.0 < max(ratios) <= 110.0


def synthetic_stack(count: int = 15) -> tuple[xr.DataArray, np.ndarray]:
    rng = default_rng(5)
    y, x = np.ogrid[:96, :96]
    truth = 400.0 * np.exp(-((y - 40) ** 2 + (x - 50) ** 2) / (2 * 60.0**2)) + 100.0
    images = []
    for _ in range(count):
        spots = np.zeros((96, 96))
        spots[tuple(rng.integers(5, 91, (2, 12)))] = 60000.0
        images.append(rng.poisson(truth + gaussian_filter(spots, 1.5)))
    still = np.zeros((96, 96))
    still[70, 20] = 60000.0  # a spot that no rolling median removes
    return xr.DataArray(np.array(images) + gaussian_filter(still, 1.5), dims=("channel", "y", "x")), truth


def test_the_background_is_found_under_spots_even_under_one_that_stays() -> None:
    stack, truth = synthetic_stack()
    found = extract_background(stack, window=15)
    assert found.max() == 1.0
    assert found.dtype == np.float32
    # The median of 15 counts of 200 to 500 scatters by about 2 %, less after smoothing.
    np.testing.assert_allclose(found, truth / truth.max(), atol=0.05)


def test_marked_are_spots_and_what_is_near_them() -> None:
    stack, _ = synthetic_stack()
    mask = spots_by_edges(np.median(stack.values, axis=0).astype(np.float32), dilation=13)
    assert mask[66:75, 16:25].all()
    assert mask.mean() < 0.1


def test_an_image_without_spots_stays_nearly_as_it_is() -> None:
    _, truth = synthetic_stack()
    noisy = default_rng(1).poisson(truth).astype(np.float32)
    assert np.mean(fill_spots_by_edges(noisy) != noisy) < 0.02


def test_fit_measures_noise_and_level_and_keeps_the_other_settings() -> None:
    stack, truth = synthetic_stack()
    step = DiffractionBackground.fit(stack, window=15, tau=0.5)
    assert step.background is not None
    assert (step.noise, step.tau) == ("counted", 0.5)
    assert step.gain.low == pytest.approx(1.0, rel=0.15)
    # The shape's largest value is one of a smoothed median: a few parts in a hundred.
    np.testing.assert_allclose([step.level.low, step.level.high], truth.max(), rtol=0.03)
    given = DiffractionBackground.fit(stack, window=15, level=[60, 400], noise="paper", grain=0.0)
    assert (given.level.low, given.noise, given.grain.high) == (60, "paper", 0.0)


def test_says_what_is_wrong() -> None:
    stack, _ = synthetic_stack(2)
    with pytest.raises(InputError, match="3 projections or more"):
        extract_background(stack)
    with pytest.raises(InputError, match="larger than the learnt background"):
        apply(DiffractionBackground(background=LEARNT[:40]))
    with pytest.raises(ValueError, match="largest is 1"):
        DiffractionBackground(background=2.0 * LEARNT)


@pytest.mark.slow
def test_the_background_of_real_projections_keeps_the_beam_stop_and_loses_spots(real_data: Path) -> None:
    stack = open_stack(real_data / "labdct" / "far_field_iron").isel(channel=slice(0, 15))
    found = extract_background(stack, window=15)
    assert found[500:560, 470:510].max() < 0.3
    assert found[100:300, 100:900].min() > 0.4
    rough = np.abs(found - gaussian_filter(found, 5.0))[100:300, 100:900]
    assert rough.max() < 0.05
