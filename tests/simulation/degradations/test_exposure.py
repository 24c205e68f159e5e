import numpy as np
import pytest
from numpy.random import default_rng
from scipy.ndimage import gaussian_filter

from beamforge.simulation import Sample
from beamforge.simulation.degradations.exposure import Exposure, local_class_mean
from contracts.step import StepContract, example_sample


class TestExposureContract(StepContract):
    examples = [Exposure(), Exposure(factor=[0.1, 10.0], window=2.5)]


def two_classes(noise: np.ndarray) -> Sample:
    labels = np.zeros(noise.shape[1:], np.uint8)
    labels[:, 100:] = 1
    drift = np.linspace(0.0, 1.0, 200, dtype=np.float32)
    return Sample(image=noise + np.where(labels, 5.0, 2.0).astype(np.float32) + drift, labels=labels)


@pytest.mark.parametrize("factor", [0.25, 4.0])
def test_counting_noise_falls_with_the_root_of_the_time(factor: float) -> None:
    noise = gaussian_filter(default_rng(1).standard_normal((2, 200, 200), dtype=np.float32), 0.54, axes=(1, 2))
    before, quiet = two_classes(noise), two_classes(0 * noise)
    after = Exposure().apply(before, {"factor": factor}, default_rng(0))
    left = after.image - quiet.image
    # The local mean itself carries a little noise, which is not scaled: variance 1 / (4 pi window^2) of white noise.
    assert left.std() / noise.std() == pytest.approx(factor**-0.5, rel=0.04)
    before_pair, after_pair = (np.mean(n[..., 1:] * n[..., :-1]) / np.mean(n**2) for n in (noise, left))
    assert after_pair == pytest.approx(before_pair, abs=0.05)


def test_drift_and_class_steps_stay() -> None:
    quiet = two_classes(np.zeros((1, 200, 200), np.float32))
    after = Exposure().apply(quiet, {"factor": 0.25}, default_rng(0))
    # A linear drift equals its local mean except within a window of the classes' borders.
    np.testing.assert_allclose(after.image, quiet.image, atol=0.03)
    np.testing.assert_allclose(after.image[..., 30:70], quiet.image[..., 30:70], atol=1e-4)


def test_local_means_by_brute_force() -> None:
    sample = example_sample(channels=2, size=(16, 24))
    window = 1.5
    mean = local_class_mean(sample.image, sample.labels, window)
    y, x = np.mgrid[:16, :24]
    for place in ((0, 0), (7, 7), (8, 12), (15, 23)):
        weight = np.exp(-((y - place[0]) ** 2 + (x - place[1]) ** 2) / (2 * window**2))
        weight[(abs(y - place[0]) > 6) | (abs(x - place[1]) > 6)] = 0.0
        weight[sample.labels != sample.labels[place]] = 0.0
        expected = (sample.image * weight).sum(axis=(1, 2)) / weight.sum()
        np.testing.assert_allclose(mean[:, place[0], place[1]], expected, rtol=1e-5)
