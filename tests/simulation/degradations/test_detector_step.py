import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.physics.detector import Detector
from beamforge.physics.gamma_spots import GammaSpots
from beamforge.physics.pixel_response import PixelResponse
from beamforge.simulation import Sample
from beamforge.simulation.degradations.detector import DetectorStep
from contracts.step import StepContract

QUIET = Detector(psf=0.0, gamma=GammaSpots(rate=0.0), read_noise=0.0, gain=50.0)


def flat(value: float) -> Sample:
    return Sample(image=np.full((1, 300, 300), value, np.float32), labels=np.zeros((300, 300), np.uint8))


class TestDetectorContract(StepContract):
    examples = [DetectorStep(), DetectorStep(response=PixelResponse(covariance=np.full((3, 3), 1e-4)))]


def test_noise_is_that_of_counting_in_both_frames() -> None:
    # Relative variance of a quotient of counts: 1/N + 1/(N T).
    after = DetectorStep(detector=QUIET).apply(flat(0.5), {"seconds": 10.0, "rate": 40.0}, default_rng(1)).image
    assert after.mean() == pytest.approx(0.5, rel=0.01)
    assert after.std() / 0.5 == pytest.approx(np.sqrt(1 / 400 + 1 / 200), rel=0.03)


def test_a_response_that_both_frames_share_divides_out() -> None:
    pattern = PixelResponse(covariance=np.array([[0, 0, 0], [0, 0.01, 0], [0, 0, 0]], np.float64))
    step = DetectorStep(detector=QUIET, response=pattern)
    after = step.apply(flat(1.0), {"seconds": 1e4, "rate": 100.0 / 1e3}, default_rng(1)).image
    assert after.std() == pytest.approx(np.sqrt(2 / 1000), rel=0.05)


def test_a_step_made_from_frames_has_the_gain_they_were_taken_with() -> None:
    camera = Detector(gain=8.0, psf=0.0, gamma=GammaSpots(rate=20.0))
    rng = default_rng(4)
    neutrons = np.full((160, 160), 200.0, np.float32)
    beams = [camera.expose(neutrons * time, time, rng) for time in (1.0, 2.0)]
    darks = [camera.dark((160, 160), 1.0, rng)]
    step = DetectorStep.from_files(beams, darks, [1.0, 2.0], [1.0], rng=default_rng(5))
    assert step.detector.gain == pytest.approx(8.0, rel=0.05)
    assert step.rate.low == pytest.approx(200.0, rel=0.05)
    assert (step.seconds.low, step.seconds.high) == (1.0, 2.0)
