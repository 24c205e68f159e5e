import numpy as np
import pytest

from beamforge.physics.detector import Detector
from beamforge.physics.fitted_detector import DetectorReport, ExposureNoise, FittedDetector
from beamforge.physics.pixel_response import PixelResponse
from beamforge.reporting.figures import signal_over_noise


def ideal(**camera: float) -> FittedDetector:
    exposures = tuple(ExposureNoise(seconds=t, level=200.0 * t, noise=10.0 * t**0.5) for t in (5.0, 20.0))
    return FittedDetector(
        detector=Detector(**camera),
        response=PixelResponse(covariance=np.zeros((1, 1))),
        rate=40.0,
        report=DetectorReport(
            paired=True, exposures=exposures, spots=0, dark_spots=0, lasting_dark_spots=None, used=1.0
        ),
    )


def test_the_line_of_a_perfect_detector_is_the_root_of_the_count() -> None:
    figure = signal_over_noise(ideal(psf=0.0, read_noise=0.0))
    counting, fitted, measured = figure.axes[0].get_lines()
    np.testing.assert_allclose(fitted.get_ydata(), np.sqrt(fitted.get_xdata()))
    np.testing.assert_allclose(fitted.get_ydata(), counting.get_ydata())
    np.testing.assert_allclose(measured.get_ydata(), [20 * 5**0.5, 20 * 20**0.5])
    assert {text.get_text() for text in figure.axes[0].texts} == {"5 s", "20 s"}


def test_few_photons_and_read_out_cost_signal_over_noise() -> None:
    # Two photons per neutron make the variance half as large again; read-out of 10 DN adds 100 DN².
    camera = ideal(gain=5.0, photons=2.0, psf=0.0, read_noise=10.0)
    assert camera.signal_over_noise(np.array([80.0]))[0] == pytest.approx(400.0 / np.sqrt(7.5 * 400.0 + 100.0))
