import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy.ndimage import gaussian_filter

from beamforge.errors import InputError
from beamforge.physics.detector import (
    Detector,
    PixelFaults,
    beam_profile,
    digitise,
    point_spread,
    poisson_counts,
    wide_scatter,
)
from beamforge.physics.gamma_spots import GammaSpots

QUIET = GammaSpots(rate=0.0)


def test_counts_have_the_variance_of_their_mean() -> None:
    counts = poisson_counts(np.full((400, 400), 37.0, np.float32), default_rng(1))
    assert counts.mean() == pytest.approx(37.0, abs=0.1)
    assert counts.var() == pytest.approx(37.0, rel=0.02)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_impossible_expectations_are_refused(bad: float) -> None:
    with pytest.raises(InputError, match="numbers of neutrons"):
        poisson_counts(np.array([[1.0, bad]], np.float32), default_rng(0))


def test_spread_keeps_the_light_and_has_the_width_asked_for() -> None:
    image = np.zeros((2, 41, 41), np.float32)
    image[0, 20, 20] = 1.0
    spread = point_spread(image, 1.7)
    y, x = np.mgrid[-20:21, -20:21]
    assert spread[0].sum() == pytest.approx(1.0, abs=1e-5)
    assert (spread[0] * x**2).sum() == pytest.approx(1.7**2, rel=0.01)
    assert (spread[0] * y**2).sum() == pytest.approx(1.7**2, rel=0.01)
    assert not spread[1].any()


def test_spread_makes_the_noise_of_neighbours_correlated() -> None:
    # White noise through a Gaussian of width s is correlated as a Gaussian of width s * sqrt(2).
    light = point_spread(poisson_counts(np.full((500, 500), 200.0, np.float32), default_rng(2)), 1.0)
    light -= light.mean()
    neighbour = (light[:, 1:] * light[:, :-1]).mean() / light.var()
    assert neighbour == pytest.approx(np.exp(-1 / 4), abs=0.02)


@given(st.integers(20, 70), st.integers(20, 70), st.floats(3.0, 30.0))
def test_wide_scatter_equals_a_plain_gaussian(height: int, width: int, sigma: float) -> None:
    image = np.zeros((height, width), np.float32)
    image[height // 3 :, width // 4 : width // 2] = 100.0
    plain = 0.06 * gaussian_filter(image, sigma, mode="constant", truncate=6)
    np.testing.assert_allclose(wide_scatter(image, 0.06, sigma), plain, atol=0.04 * 6)


def test_beam_profile_falls_as_asked() -> None:
    profile = beam_profile((101, 101), fall=0.3)
    assert profile.max() == profile[50, 50] == 1.0
    assert profile[50, 100] == pytest.approx(0.7, abs=0.005)
    assert beam_profile((11, 11), fall=0.0, tilt=0.1)[0, 0] == pytest.approx(0.91, abs=0.01)


def test_digitising_saturates_at_both_ends() -> None:
    values = np.array([-5.0, 0.4, 99.6, 70000.0], np.float32)
    np.testing.assert_array_equal(digitise(values), [0, 0, 100, 65535])
    np.testing.assert_array_equal(digitise(values, 12), [0, 0, 100, 4095])


def test_gamma_amplitudes_meet_the_measured_quantiles() -> None:
    # Peaks measured on a real camera: 600, 1800 and 5300 DN at 50, 90 and 99 %.
    quantiles = GammaSpots().amplitudes(np.array([0.5, 0.9, 0.99]))
    np.testing.assert_allclose(quantiles, [600, 1800, 5300], rtol=1e-9)
    assert (np.diff(GammaSpots().amplitudes(np.linspace(0.001, 0.999, 500))) > 0).all()


def test_gamma_spots_come_at_their_rate_and_size() -> None:
    spots = GammaSpots(rate=400.0, size_99=6.0)
    image = np.zeros((1000, 1000), np.float32)
    hit = spots.add_to(image, 5.0, default_rng(3))
    sizes = spots.draw_sizes(100_000, default_rng(4))
    assert (sizes > 6).mean() == pytest.approx(0.01, abs=0.002)
    assert hit.sum() == pytest.approx(2000 * sizes.mean(), rel=0.06)
    np.testing.assert_array_equal(hit, image > 0)


def test_a_frame_is_offset_plus_gain_times_neutrons() -> None:
    detector = Detector(gamma=QUIET)
    frame = detector.expose(np.full((300, 300), 200.0, np.float32), 5.0, default_rng(5))
    assert frame.dtype == np.uint16
    assert frame.mean() == pytest.approx(300 + 5 * 200, abs=1.0)
    dark = detector.expose(np.zeros((300, 300), np.float32), 5.0, default_rng(6))
    assert dark.mean() == pytest.approx(300, abs=0.2)
    assert dark.std() == pytest.approx(np.hypot(11, 12**-0.5), rel=0.02)


def test_faulty_pixels_stay_where_they_are() -> None:
    offsets = PixelFaults(dead=0.01, hot=0.02).draw((100, 100), default_rng(7))
    dead = np.isnan(offsets)
    assert 50 < dead.sum() < 160
    assert 130 < (offsets > 0).sum() < 270
    frame = Detector(gamma=QUIET, read_noise=0.0).expose(np.zeros((100, 100), np.float32), 1.0, default_rng(8), offsets)
    assert (frame[dead] == 0).all()
    assert (frame[offsets > 100] > 390).all()
    assert (frame[offsets == 0] == 300).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Detector(bits=8, offset=300), "300 DN saturates a converter of 8 bits"),
        (lambda: GammaSpots(amplitude_90=100), "ascending"),
        (lambda: digitise(np.zeros((2, 2), np.float32), 20), "20 bits"),
        (lambda: point_spread(np.zeros((2, 2), np.float32), -1), "-1 px"),
        (lambda: beam_profile((2, 2), fall=1.2), "1.2"),
    ],
)
def test_impossible_settings_are_named(make, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_tracks_are_what_is_added() -> None:
    spots = GammaSpots(rate=3000.0)
    image = np.zeros((80, 90), np.float32)
    hit = spots.add_to(image, 10.0, default_rng(5))
    tracks = spots.draw((80, 90), 10.0, default_rng(5))
    expected = np.zeros_like(image)
    for row, column, amplitude in zip(tracks.rows, tracks.columns, tracks.amplitudes, strict=True):
        expected[row, column] += amplitude
    np.testing.assert_allclose(image, expected, rtol=1e-5)
    np.testing.assert_array_equal(hit, expected > 0)
    assert tracks.spot.max() < tracks.count
