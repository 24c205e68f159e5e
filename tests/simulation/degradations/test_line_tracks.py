"""Long straight tracks."""

import numpy as np
import pytest
from numpy.random import default_rng
from scipy.ndimage import label

from beamforge.simulation import Sample
from beamforge.simulation.degradations.line_tracks import LineTracks
from contracts.step import StepContract


class TestLineTracksContract(StepContract):
    examples = [LineTracks(), LineTracks(rate=(500.0, 900.0))]


def added(rate: float, length: float, seed: int = 2) -> np.ndarray:
    step = LineTracks(level=10.0)
    before = Sample(image=np.zeros((1, 400, 400), np.float32), labels=np.zeros((400, 400), np.uint8))
    drawn = {"seconds": 10.0, "rate": rate, "length": length, "brightness": 1000.0}
    return step.apply(before, drawn, default_rng(seed)).image[0]


def test_the_light_of_all_tracks_is_their_number_times_length_times_brightness() -> None:
    # 100 tracks per Mpx and s are 160 in 10 s and 0.16 Mpx, each of 20 px of 1000 DN where 1 is 100 DN; some leave the
    # image.
    assert added(100.0, 20.0).sum() == pytest.approx(160 * 20 * 10.0, rel=0.2)


def test_a_track_is_a_line_of_its_length() -> None:
    looked_at = 0
    for seed in range(12):
        image = added(0.7, 60.0, seed)
        inside = not (image[0].any() or image[-1].any() or image[:, 0].any() or image[:, -1].any())
        if label(image > 0, np.ones((3, 3)))[1] == 1 and inside:
            places = np.argwhere(image > 0)
            extent = places.max(axis=0) - places.min(axis=0) + 1
            assert extent.max() in (60, 61)
            spread = np.cov(places.T.astype(np.float64), aweights=image[image > 0].astype(np.float64))
            assert np.linalg.eigvalsh(spread)[0] < 0.5
            looked_at += 1
    assert looked_at >= 2
