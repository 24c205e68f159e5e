import numpy as np
import pytest
from numpy.random import default_rng
from scipy.ndimage import gaussian_filter

from beamforge.classical.edges import EdgeFilter, EdgeThreshold, tuned_edges
from beamforge.errors import InputError
from beamforge.predictor import Predictor
from beamforge.stack import Channel, Classes

CLASSES = Classes(names=("grain", "boundary"))
RGB = tuple(Channel(mode=name) for name in ("red", "green", "blue"))


def halves(channel=1, seed=1, noise=1.0):
    """Two grains that differ in one channel only, and the boundary between them."""
    image = np.full((3, 48, 48), 100.0, np.float32)
    image[channel, :, 24:] += 60.0
    labels = np.zeros((48, 48), np.uint8)
    labels[:, 22:26] = 1
    return image + noise * default_rng(seed).standard_normal(image.shape).astype(np.float32), labels


def iou(found, true):
    return (found & true).sum() / (found | true).sum()


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_a_step_in_any_channel_is_found(channel) -> None:
    image, labels = halves(channel)
    found = EdgeThreshold(filter=EdgeFilter(kind="gradient", sigma=1.5), share=4 / 48, channels=RGB)
    assert isinstance(found, Predictor)
    assert iou(found.log_probabilities(image[None])[0].argmax(axis=0) == 1, labels == 1) > 0.7


def test_the_gradient_is_that_of_the_channels_together() -> None:
    image, _ = halves(noise=3.0)
    expected = 0.0
    for one in image.astype(np.float64):
        for order in ((1, 0), (0, 1)):
            expected = expected + gaussian_filter(one, 2.0, order=order, mode="nearest") ** 2
    np.testing.assert_allclose(EdgeFilter(kind="gradient", sigma=2.0).response(image), np.sqrt(expected), rtol=1e-3)


def test_ridges_answer_to_dark_lines_and_not_to_steps() -> None:
    image = np.full((1, 48, 48), 100.0, np.float32)
    image[0, 20:23] -= 40.0
    response = EdgeFilter(kind="ridge", sigma=1.5).response(image)
    assert response[21, 24] > 5.0 * response[30, 24]


def test_tuning_takes_what_scores_best() -> None:
    samples = [halves(seed=seed) for seed in range(3)]
    tuned = tuned_edges("gradient", samples, RGB, CLASSES, iou, sigmas=(1.0, 6.0), shares=(0.02, 4 / 48, 0.5))
    assert (tuned.filter.sigma, tuned.share) == (1.0, 4 / 48)
    with pytest.raises(InputError, match="no labelled"):
        tuned_edges("ridge", [], RGB, CLASSES, iou)


def test_invalid_pixels_are_filled_and_wrong_channels_refused() -> None:
    image, _ = halves()
    image[0, 3, 3] = np.nan
    image[1, 5, 5] = np.inf
    predictor = EdgeThreshold(filter=EdgeFilter(kind="gradient", sigma=1.0), share=0.1, channels=RGB)
    assert np.isfinite(predictor.log_probabilities(image[None])).all()
    with pytest.raises(InputError, match="3, y, x"):
        predictor.log_probabilities(image[None, :1])
