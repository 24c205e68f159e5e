"""Thresholds on local contrast give what the detector of raw frames gives."""

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.classical.spots import RobustSpots
from beamforge.classical.spots.contrast import ContrastSpots, tuned_contrast
from beamforge.errors import InputError
from beamforge.statistics.local_noise import NoiseModel, compressed, local_contrast


def frame() -> tuple[np.ndarray, np.ndarray]:
    rng = default_rng(5)
    image = rng.normal(1000.0, 10.0, (96, 96)).astype(np.float32)
    spots = rng.random(image.shape) < 0.005
    image[spots] += rng.uniform(50.0, 400.0, int(spots.sum()))
    return image, spots


def test_it_marks_what_the_detector_of_raw_frames_marks() -> None:
    image, _ = frame()
    noise = NoiseModel.fit([image])
    expected = RobustSpots().detect(image, noise)
    found = ContrastSpots().mask(compressed(local_contrast(image, noise)))
    assert expected.any()
    np.testing.assert_array_equal(found, expected)


def test_chosen_thresholds_are_the_best_of_those_offered() -> None:
    image, spots = frame()
    contrast = compressed(local_contrast(image, NoiseModel.fit([image])))
    samples = [(contrast, spots.astype(np.uint8))]

    def f1(high: float, low: float) -> float:
        found = ContrastSpots(high=high, low=low).mask(contrast)
        return 2 * np.sum(found & spots) / (found.sum() + spots.sum())

    offered = [(high, low) for high in (3.0, 4.5, 9.0, 30.0) for low in (2.0, 3.0, 8.0) if low <= high]
    chosen = tuned_contrast(samples, (3.0, 4.5, 9.0, 30.0), (2.0, 3.0, 8.0))
    assert f1(*chosen) == max(f1(*pair) for pair in offered)


def test_samples_without_spots_cannot_tune() -> None:
    image, _ = frame()
    with pytest.raises(InputError, match="none of the 1 samples holds a spot"):
        tuned_contrast([(image, np.zeros(image.shape, np.uint8))])


def test_a_skirt_brighter_than_its_spot_is_refused() -> None:
    with pytest.raises(ValueError, match="fainter than its spot"):
        ContrastSpots(high=3.0, low=4.0)
