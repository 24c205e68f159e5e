import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.physics.detector import Detector, beam_profile
from beamforge.physics.detector_fit import fit_detector, spread_covariance
from beamforge.physics.fitted_detector import FittedDetector
from beamforge.physics.frame_statistics import beam_residuals, find_spots, lag_covariance
from beamforge.physics.gamma_spots import GammaSpots
from beamforge.physics.pixel_response import PixelResponse

SHAPE = (400, 480)
TRUTH = Detector(
    gain=4.8, photons=3.5, offset=300.0, read_noise=11.0, psf=0.8,
    gamma=GammaSpots(rate=150.0, lowest=700.0, amplitude_50=1200.0, amplitude_90=4000.0, amplitude_99=9000.0,
                     size_99=4.0),
)  # fmt: skip


def pattern(spread: float = 0.04, length: float = 3.0, reach: int = 24) -> PixelResponse:
    distance = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1])
    return PixelResponse(covariance=spread**2 * np.exp(-((distance / length) ** 2)))


def measured(detector: Detector, seconds: tuple[float, ...], seed: int) -> tuple[list, list]:
    """Open beams that share their response, and dark images, as an instrument gives them."""
    rng = default_rng(seed)
    response = pattern().draw(SHAPE, rng)
    neutrons = 45.0 * beam_profile(SHAPE)
    beams = [detector.expose((neutrons * t).astype(np.float32), t, rng, response=response) for t in seconds]
    return beams, [detector.dark(SHAPE, t, rng) for t in seconds]


@pytest.fixture(scope="module")
def fitted() -> FittedDetector:
    beams, darks = measured(TRUTH, (20.0, 60.0), 1)
    return fit_detector(beams, darks, (20.0, 60.0), (20.0, 60.0), default_rng(2))


def test_a_pair_of_open_beams_tells_the_detector_it_was_taken_with(fitted: FittedDetector) -> None:
    found = fitted.detector
    assert found.offset == pytest.approx(300.0, abs=0.5)
    assert found.read_noise == pytest.approx(11.0, rel=0.02)
    assert found.gain == pytest.approx(4.8, rel=0.12)
    assert found.gain / found.photons == pytest.approx(4.8 / 3.5, rel=0.08)
    np.testing.assert_allclose(found.psf, 0.8, atol=0.08)
    assert fitted.response.spread == pytest.approx(0.04, rel=0.08)
    assert fitted.report.paired


def test_spots_are_those_that_fell(fitted: FittedDetector) -> None:
    gamma = fitted.detector.gamma
    assert gamma.rate == pytest.approx(150.0, rel=0.25)
    assert gamma.amplitude_50 == pytest.approx(1200.0, rel=0.2)
    assert gamma.amplitude_90 == pytest.approx(4000.0, rel=0.2)
    assert fitted.detector.background.rate == 0.0


def test_signal_over_noise_grows_with_the_root_of_the_time(fitted: FittedDetector) -> None:
    short, long = fitted.report.exposures
    assert long.snr / short.snr == pytest.approx(np.sqrt(3.0), rel=0.05)


def test_one_open_beam_gives_the_noise_that_pixels_do_not_share() -> None:
    beams, darks = measured(Detector(gain=5.0, psf=0.0, gamma=GammaSpots(rate=0.0)), (20.0,), 3)
    found = fit_detector(beams, darks, (20.0,), (20.0,), default_rng(4))
    assert not found.report.paired
    # The fixed pattern is smooth over 3 px, and the parabola through its lags is a little below its peak.
    assert found.detector.gain == pytest.approx(5.0, rel=0.15)
    assert found.response.spread == pytest.approx(0.04, rel=0.05)


def test_what_the_beam_does_not_light_is_left_out_and_counted() -> None:
    beams, darks = measured(TRUTH.model_copy(update={"gamma": GammaSpots(rate=0.0)}), (20.0,), 4)
    whole = fit_detector(beams, darks, (20.0,), (20.0,), default_rng(5))
    beams[0][:, : SHAPE[1] // 4] = darks[0][:, : SHAPE[1] // 4]
    shaded = fit_detector(beams, darks, (20.0,), (20.0,), default_rng(5))
    assert whole.report.used > 0.95
    # A quarter is dark, and the pixels within two sigmas of the smoothing of its edge are neither.
    assert 0.65 < shaded.report.used < 0.75
    assert shaded.detector.gain == pytest.approx(whole.detector.gain, rel=0.05)


def test_a_fit_survives_its_file(fitted: FittedDetector, tmp_path) -> None:
    fitted.save(tmp_path / "detector.json")
    again = FittedDetector.load(tmp_path / "detector.json")
    level = beam_profile((64, 64))
    np.testing.assert_array_equal(
        again.open_beam(level, 5.0, default_rng(1)), fitted.open_beam(level, 5.0, default_rng(1))
    )
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(InputError, match=r"other\.json is not a fitted detector: detector"):
        FittedDetector.load(tmp_path / "other.json")


def test_a_response_has_the_covariance_it_was_given() -> None:
    wanted = pattern(0.05, 4.0)
    fields = [wanted.draw((300, 300), default_rng(seed)) - 1.0 for seed in range(8)]
    for lag in (0, 1, 4, 8):
        products = [(field[:, lag:] * field[:, : 300 - lag]).mean() for field in fields]
        assert np.mean(products) == pytest.approx(wanted.covariance[24, 24 + lag], abs=0.05 * 0.05**2)


def test_the_covariance_of_spread_noise_is_that_of_spread_noise() -> None:
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(default_rng(6).standard_normal((1500, 1500)), (0.9, 0.6))
    table = spread_covariance((0.9, 0.6), 2)
    for y, x in [(0, 0), (1, 0), (0, 1), (2, 1)]:
        product = (noise[y:, x:] * noise[: 1500 - y, : 1500 - x]).mean()
        assert table[2 + y, 2 + x] == pytest.approx(product, abs=0.002)


def test_covariances_by_lag_equal_a_plain_sum() -> None:
    frame = measured(TRUTH, (20.0,), 7)[0][0]
    parts = beam_residuals(frame, 300.0, 15.0)
    table = lag_covariance(parts, parts, 5)
    values, valid = parts.values.astype(np.float64), parts.valid
    for y, x in [(0, 0), (3, 0), (2, 4)]:
        pairs = valid[y:, x:] & valid[: valid.shape[0] - y, : valid.shape[1] - x]
        product = (values[y:, x:] * values[: values.shape[0] - y, : values.shape[1] - x])[pairs].mean()
        assert table[5 + y, 5 + x] == pytest.approx(product, rel=1e-6)
        assert table[5 - y, 5 - x] == table[5 + y, 5 + x]


def test_injected_spots_are_found_with_their_peaks() -> None:
    rng = default_rng(8)
    signal = rng.normal(1000.0, 20.0, (200, 200)).astype(np.float32)
    places = [(20, 30), (100, 100), (150, 60)]
    for place in places:
        signal[place] += 500.0
    found = find_spots(signal, None)
    assert {tuple(p) for p in np.argwhere(found.mask)} == set(places)
    np.testing.assert_allclose(found.peaks, 500.0, atol=80.0)


@pytest.mark.parametrize(
    ("beams", "darks", "times", "words"),
    [
        ([], [np.zeros((90, 90))], ([], [1.0]), "no open beam"),
        ([np.full((90, 90), 9)], [np.full((90, 80), 1)], ([1.0], [1.0]), "dark image 1 is 90×80 but open beam 1 is"),
        ([np.full((90, 90), 9)], [np.full((90, 90), 1)], ([0.0], [1.0]), "0 s"),
        ([np.full((90, 90), 9)], [np.full((90, 90), 1)], ([1.0, 2.0], [1.0]), "2 exposure times"),
        ([np.full((90, 90), 9)], [np.full((90, 90), 30)], ([1.0], [1.0]), "swapped"),
        ([np.full((90, 90), np.nan)], [np.full((90, 90), 3)], ([1.0], [1.0]), "not finite"),
        ([np.full((30, 30), 90)], [np.full((30, 30), 3)], ([1.0], [1.0]), "too small"),
        ([np.full((90, 90), 900)], [np.full((90, 90), 3)], ([1.0], [1.0]), "no more noise"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_named(beams: list, darks: list, times: tuple, words: str) -> None:
    with pytest.raises(InputError, match=words):
        fit_detector(beams, darks, *times, default_rng(0))


def test_read_out_noise_keeps_what_neighbouring_pixels_share() -> None:
    shared = np.zeros((5, 5))
    shared[2, 2], shared[2, 1], shared[2, 3] = 1.0, 0.3, 0.3
    camera = Detector(read_noise=12.0, read_covariance=shared, psf=0.0)
    rng = default_rng(8)
    beams = [camera.expose(np.full((240, 240), 300.0 * time, np.float32), time, rng) for time in (1.0, 3.0)]
    darks = [camera.dark((240, 240), 1.0, rng) for _ in range(2)]
    fitted = fit_detector(beams, darks, [1.0, 3.0], [1.0, 1.0], default_rng(9)).detector
    again = fitted.dark((240, 240), 1.0, rng).astype(np.float64)
    again -= again.mean()
    variance = (again**2).mean()
    assert np.sqrt(variance) == pytest.approx(12.0, rel=0.03)
    # Rounding to whole DN adds 1/12 to a variance of 144; 57,600 pixels tell a correlation to about 0.005.
    assert (again[:, 1:] * again[:, :-1]).mean() / variance == pytest.approx(0.3, abs=0.025)
    assert (again[1:] * again[:-1]).mean() / variance == pytest.approx(0.0, abs=0.025)
