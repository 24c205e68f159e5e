import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
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


def test_noise_is_that_of_a_projection_and_of_a_median() -> None:
    after = ProjectionContrast(window=11).apply(noisy(()), {}, default_rng(0))
    # 16384 pixels: the deviation scatters by 0.6 %; its own estimate divides, so the sum is 1 but for what it adds.
    assert after.image.std() == pytest.approx(1.0, rel=0.03)
    assert after.extras["noise"].mean() == pytest.approx(10.0, rel=0.05)


def test_ratios_of_spots_are_means_over_their_pixels() -> None:
    numbers = np.array([[0, 1, 1], [2, 0, 4]])
    clean = np.array([[9.0, 2.0, 4.0], [6.0, 9.0, 1.0]])
    noise = np.array([[1.0, 1.0, 2.0], [3.0, 1.0, 2.0]])
    np.testing.assert_allclose(spot_contrasts(clean, numbers, noise), [0.0, 2.0, 2.0, 0.0, 0.5])


def test_wants_a_background() -> None:
    with pytest.raises(InputError, match="diffraction_background"):
        ProjectionContrast().apply(noisy().replace(extras={}), {}, default_rng(0))
