import numpy as np
import pytest
import xarray as xr
from numpy.random import default_rng
from scipy.ndimage import label

from beamforge.errors import InputError
from beamforge.reduction.projections import contrast, rolling_median
from beamforge.simulation.degradations.diffraction_background import BACKGROUND, CLEAN
from beamforge.simulation.degradations.projection_contrast import SPOTS, ProjectionContrast, spot_contrasts
from beamforge.simulation.sample import Sample
from contracts.step import StepContract


def noisy(amplitudes: tuple[float, ...] = (20.0, 4.0, 6.0)) -> Sample:
    """Spots of 20 px with mean contrasts of amplitude / 10."""
    numbers = np.zeros((128, 128), np.int32)
    clean = np.zeros((128, 128), np.float32)
    for number, amplitude in enumerate(amplitudes, 1):
        here = (slice(10 * number, 10 * number + 4), slice(30, 35))
        numbers[here], clean[here] = number, amplitude
    background = np.full((128, 128), 100.0, np.float32)
    image = (background + clean + 10.0 * default_rng(4).standard_normal((128, 128))).astype(np.float32)
    extras = {SPOTS: numbers, CLEAN: clean, BACKGROUND: background}
    return Sample(image=image[None], labels=(numbers > 0).astype(np.uint8), extras=extras)


class TestProjectionContrastContract(StepContract):
    examples = [ProjectionContrast(), ProjectionContrast(window=5, visible=0.0, sure=0.0)]

    def sample(self) -> Sample:
        return noisy()


def test_faint_spots_become_background_and_those_in_between_are_ignored() -> None:
    after = ProjectionContrast(visible=0.5, sure=0.8).apply(noisy(), {}, default_rng(0))
    assert set(np.unique(after.labels[10:14, 30:35])) == {1}
    assert set(np.unique(after.labels[20:24, 30:35])) == {0}
    assert set(np.unique(after.labels[30:34, 30:35])) == {255}


def test_noise_is_that_above_a_rolling_median() -> None:
    after = ProjectionContrast(window=11).apply(noisy(()), {}, default_rng(0))
    assert after.extras["noise"].mean() == pytest.approx(10.0, rel=0.05)
    images = 100.0 + 10.0 * default_rng(5).standard_normal((11, 128, 128))
    stack = xr.DataArray(images.astype(np.float32), dims=("channel", "y", "x"))
    measured = contrast(np.subtract(*next(rolling_median(stack, 11))))
    simulated = after.image[0]
    # The projection is in the middle of its eleven at one pixel in eleven; 16384 pixels: ± 0.002.
    assert np.mean(simulated == 0.0) == pytest.approx(1 / 11, abs=0.01)
    for share in (0.1, 0.9, 0.99, 0.999):
        assert np.quantile(simulated, share) == pytest.approx(np.quantile(measured, share), rel=0.08)


def test_a_line_of_background_keeps_touching_spots_apart_but_not_from_faint_ones() -> None:
    before = noisy((20.0, 2.0, 30.0))
    numbers = np.zeros((128, 128), np.int32)
    clean = np.zeros((128, 128), np.float32)
    # 1 and 3 touch along a side, 1 and the faint 2 at another.
    parts = [
        (1, (slice(40, 50), slice(40, 50)), 20.0),
        (2, (slice(50, 56), slice(40, 50)), 2.0),
        (3, (slice(40, 50), slice(50, 60)), 30.0),
    ]
    for number, place, amplitude in parts:
        numbers[place], clean[place] = number, amplitude
    extras = {**before.extras, SPOTS: numbers, CLEAN: clean}
    sample = before.replace(labels=(numbers > 0).astype(np.uint8), extras=extras)
    labels = ProjectionContrast().apply(sample, {}, default_rng(0)).labels
    regions, count = label(labels == 1, np.ones((3, 3)))
    assert count == 2
    assert sorted(np.bincount(regions.ravel())[1:]) == [90, 100]
    assert (labels[40:50, 49] == 0).all()
    assert (labels[49, 40:49] == 1).all()
    whole = ProjectionContrast(divided=False).apply(sample, {}, default_rng(0)).labels
    np.testing.assert_array_equal(whole == 1, (numbers == 1) | (numbers == 3))


def test_ratios_of_spots_are_means_over_their_pixels() -> None:
    numbers = np.array([[0, 1, 1], [2, 0, 4]])
    clean = np.array([[9.0, 2.0, 4.0], [6.0, 9.0, 1.0]])
    noise = np.array([[1.0, 1.0, 2.0], [3.0, 1.0, 2.0]])
    np.testing.assert_allclose(spot_contrasts(clean, numbers, noise), [0.0, 2.0, 2.0, 0.0, 0.5])


def test_wants_an_odd_window() -> None:
    with pytest.raises(ValueError, match="an odd number"):
        ProjectionContrast(window=10)


def test_wants_a_background() -> None:
    with pytest.raises(InputError, match="diffraction_background"):
        ProjectionContrast().apply(noisy().replace(extras={}), {}, default_rng(0))
