import math

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.simulation.perlin import add_gradient_noise, perlin


def one_pixel(y, x, angle):
    """Perlin 2002 at one place in lattice units: the four corners' gradients, joined by 6t⁵ − 15t⁴ + 10t³."""
    top, left = math.floor(y), math.floor(x)
    v, u = y - top, x - left

    def fade(t):
        return 6 * t**5 - 15 * t**4 + 10 * t**3

    def corner(i, j):
        direction = angle[top + i, left + j]
        return math.sin(direction) * (v - i) + math.cos(direction) * (u - j)

    above = corner(0, 0) + fade(u) * (corner(0, 1) - corner(0, 0))
    below = corner(1, 0) + fade(u) * (corner(1, 1) - corner(1, 0))
    return above + fade(v) * (below - above)


@pytest.mark.parametrize(("start", "step"), [((0.0, 0.0), 0.25), ((0.3, 0.71), 0.137), ((0.9, 0.05), 1.3)])
def test_every_pixel_is_that_of_the_formula(start, step):
    shape = (23, 31)
    angle = default_rng(1).random((40, 50)) * 2 * math.pi
    noise = np.zeros(shape, np.float32)
    directions = (np.sin(angle).astype(np.float32), np.cos(angle).astype(np.float32))
    add_gradient_noise(noise, *directions, np.array(start), step, 1.0)
    expected = [[one_pixel(start[0] + r * step, start[1] + c * step, angle) for c in range(31)] for r in range(23)]
    np.testing.assert_allclose(noise, expected, atol=1e-5)


def test_octaves_add_with_falling_amplitudes():
    shape, angle = (16, 16), default_rng(2).random((20, 20)).astype(np.float32)
    both, first, second = np.zeros((3, *shape), np.float32)
    zero = np.zeros(2)
    for target, parts in ((both, [(0.1, 1.0), (0.2, 0.5)]), (first, [(0.1, 1.0)]), (second, [(0.2, 0.5)])):
        for step, amplitude in parts:
            add_gradient_noise(target, angle, angle, zero, step, amplitude)
    np.testing.assert_allclose(both, first + second, atol=1e-6)


def test_noise_is_bounded_centred_and_smooth():
    noise = np.stack([perlin((200, 200), 20.0, default_rng(seed)) for seed in range(5)])
    assert np.abs(noise).max() <= math.sqrt(0.5)
    assert abs(noise.mean()) < 0.02
    assert np.abs(np.diff(noise, axis=2)).max() < 0.2
    assert noise.dtype == np.float32


def test_the_wavelength_is_where_correlation_has_gone():
    noise = np.stack([perlin((256, 256), 32.0, default_rng(seed)) for seed in range(30)]).astype(np.float64)

    def correlation(lag):
        return np.mean(noise[..., lag:] * noise[..., :-lag]) / np.mean(noise**2)

    assert correlation(4) > 0.8
    assert abs(correlation(64)) < 0.1


def test_same_stream_same_bytes_and_any_shape():
    first, second = (perlin((7, 90), 12.5, default_rng(4), octaves=3) for _ in range(2))
    assert first.shape == (7, 90)
    assert first.tobytes() == second.tobytes()
    assert np.isfinite(perlin((5, 5), 0.3, default_rng(0), octaves=4)).all()


@pytest.mark.parametrize(("wavelength", "octaves"), [(0.0, 1), (-3.0, 1), (math.nan, 1), (8.0, 0)])
def test_impossible_settings_are_refused(wavelength, octaves):
    with pytest.raises(InputError, match="Perlin"):
        perlin((8, 8), wavelength, default_rng(0), octaves=octaves)
