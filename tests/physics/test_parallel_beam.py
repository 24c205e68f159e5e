"""Projection, propagation and reconstruction against scikit-image, closed forms and each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from skimage.data import shepp_logan_phantom
from skimage.transform import iradon, radon, resize

from beamforge.errors import InputError
from beamforge.physics.parallel_beam import (
    filtered_back_projection,
    project_phases,
    propagated_intensity,
    ramp_filter,
)


def disc(side: int, radius: float, x: float = 0.0, r: float = 0.0) -> np.ndarray:
    rows, columns = np.ogrid[:side, :side]
    return (np.hypot(columns - side // 2 - x, rows - side // 2 - r) <= radius).astype(np.uint8)


@pytest.mark.parametrize("side", [64, 75])
def test_reconstructs_as_scikit_image_does(side: int) -> None:
    image = resize(shepp_logan_phantom(), (side, side)).astype(np.float64)
    angles = np.linspace(0, 180, 90, endpoint=False)
    sinogram = radon(image, angles, circle=True)
    expected = iradon(sinogram, angles, filter_name="ramp", circle=True)
    found = filtered_back_projection(sinogram.T.astype(np.float32), angles)
    # On the rim itself a rounding decides whether a ray is seen.
    inside = disc(side, side // 2 - 1) > 0
    np.testing.assert_allclose(found[inside], expected[inside], atol=2e-5)


@pytest.mark.parametrize("angle", [0.0, 17.0, 45.0, 90.0, 133.0, 179.0])
def test_a_disc_projects_to_its_chords(angle: float) -> None:
    side, radius, x, r = 129, 30.0, 14.0, -9.0
    found = project_phases(disc(side, radius, x, r)[None], 1, [angle])[0, 0, 0]
    theta = np.deg2rad(angle)
    offset = np.arange(side) - side // 2 - (x * np.cos(theta) - r * np.sin(theta))
    chords = 2 * np.sqrt(np.clip(radius**2 - offset**2, 0, None))
    # The rim is made of voxels; a ray crosses it twice, at a slant that is longest at the sides.
    assert np.abs(found - chords)[np.abs(offset) < 0.9 * radius].max() < 3.0
    assert found.sum() == pytest.approx(disc(side, radius).sum(), rel=0.01)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=10)
def test_phases_project_as_scikit_image_projects_their_masks(seed: int) -> None:
    rng = default_rng(seed)
    phases = np.zeros((1, 40, 40), np.uint8)
    for number in (1, 2, 3):
        x, r = rng.uniform(-9, 9, 2)
        phases[0][disc(40, rng.uniform(4, 8), x, r) > 0] = number
    angles = rng.uniform(0, 180, 5)
    found = project_phases(phases, 3, angles)
    for number in (1, 2, 3):
        mask = (phases[0] == number).astype(float)
        expected = radon(mask, angles, circle=True).T
        # Two ways to interpolate differ at single rays, not in what they add up to.
        np.testing.assert_allclose(found[number - 1, 0].sum(axis=1), mask.sum(), rtol=0.02, atol=0.5)
        assert np.abs(found[number - 1, 0] - expected).mean() < 0.25


def test_projection_and_reconstruction_return_the_slice() -> None:
    inner, outer = disc(128, 10, 20, 5), disc(128, 50)
    phases = (outer + inner)[None].astype(np.uint8)
    angles = np.linspace(0, 180, 200, endpoint=False)
    lengths = project_phases(phases, 2, angles)
    found = filtered_back_projection(0.2 * lengths[0, 0] + 0.7 * lengths[1, 0], angles)
    assert found[disc(128, 7, 20, 5) > 0].mean() == pytest.approx(0.7, rel=0.01)
    assert found[(disc(128, 45) > 0) & (disc(128, 14, 20, 5) == 0)].mean() == pytest.approx(0.2, rel=0.01)


def test_a_ramp_keeps_its_slope_and_lets_no_constant_through() -> None:
    response = ramp_filter(1024)
    frequencies = np.fft.rfftfreq(1024)
    np.testing.assert_allclose(response[1:], frequencies[1:], rtol=0.02, atol=1e-3)
    assert abs(response[0]) < 5e-4


def test_without_distance_or_structure_nothing_but_absorption_is_seen() -> None:
    rng = default_rng(0)
    absorption, phase = rng.uniform(0, 1, (2, 12, 14)).astype(np.float32)
    np.testing.assert_allclose(propagated_intensity(absorption, phase, 1.0, 0.0, 1.0), np.exp(-absorption), rtol=1e-6)
    flat = np.full((12, 14), 0.3, np.float32)
    np.testing.assert_allclose(propagated_intensity(flat, flat, 1.0, 5.0, 1.0), np.exp(-0.3), rtol=1e-5)


def test_a_weak_phase_shows_its_curvature() -> None:
    """I = 1 - λ d / 2π · Laplacian of the phase, the near-field limit (Teague 1983)."""
    side, pixel, wavelength, distance = 64, 1.0, 0.1, 3.0
    y, x = np.mgrid[:side, :side] + 0.5
    wave_y, wave_x = 2 * np.pi * 2 / (2 * side), 2 * np.pi * 4 / (2 * side)
    phase = 0.05 * np.cos(wave_y * y) * np.cos(wave_x * x)
    found = propagated_intensity(
        np.zeros_like(phase, np.float32), phase.astype(np.float32), wavelength, distance, pixel
    )
    # The phase behind a sample is -phase here; its Laplacian is -(ky² + kx²) times itself.
    curvature = -(wave_y**2 + wave_x**2) * -phase
    np.testing.assert_allclose(found - 1, -wavelength * distance / (2 * np.pi) * curvature, atol=3e-6)


def test_energy_is_kept_on_the_way() -> None:
    rng = default_rng(1)
    absorption = rng.uniform(0, 1, (3, 16, 20)).astype(np.float32)
    phase = rng.normal(0, 1, (3, 16, 20)).astype(np.float32)
    travelled = propagated_intensity(absorption, phase, 0.2, 4.0, 1.0)
    np.testing.assert_allclose(travelled.sum(axis=(1, 2)), np.exp(-absorption).sum(axis=(1, 2)), rtol=1e-4)


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="square slices"):
        project_phases(np.zeros((2, 3, 4), np.uint8), 1, [0.0])
    with pytest.raises(InputError, match="phase 3, only 1 to 2"):
        project_phases(np.full((1, 4, 4), 3, np.uint8), 2, [0.0])
    with pytest.raises(InputError, match="for 3 angles"):
        filtered_back_projection(np.zeros((2, 8), np.float32), [0.0, 1.0, 2.0])
