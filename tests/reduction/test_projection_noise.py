from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.random import default_rng
from scipy.ndimage import gaussian_filter

from beamforge.errors import InputError
from beamforge.io import open_stack
from beamforge.reduction.projection_noise import measure_noise


def projections(gain: float, read_out: float, grain: float, sigma: float, spots_each: int) -> xr.DataArray:
    """Flickering projections with moving spots and noise that is known."""
    rng = default_rng(9)
    size = (320, 320)
    y, x = np.ogrid[:320, :320]
    beam = 600.0 * np.exp(-((y - 130) ** 2 + (x - 170) ** 2) / (2 * 110.0**2)) + 40.0
    one = np.zeros((33, 33))
    one[16, 16] = 1.0
    norm = np.sqrt((gaussian_filter(one, sigma) ** 2).sum())
    images = []
    for exposure in rng.uniform(0.95, 1.08, 9):
        spots = np.zeros(size)
        spots[tuple(rng.integers(0, 320, (2, spots_each)))] = 30000.0
        mean = exposure * beam + gaussian_filter(spots, 2.0)
        deviation = np.sqrt(gain * mean + read_out**2)
        field = gaussian_filter(rng.standard_normal(size), sigma) / norm
        noise = read_out * rng.standard_normal(size) + grain * deviation * field
        images.append(gain * rng.poisson(mean / gain) + noise)
    return xr.DataArray(np.array(images, np.float32), dims=("channel", "y", "x"))


@pytest.mark.parametrize(
    ("gain", "read_out", "grain", "sigma", "spots_each"),
    [(0.5, 0.0, 0.0, 1.0, 0), (2.0, 12.0, 0.3, 1.0, 60), (1.0, 5.0, 0.25, 1.6, 60)],
)
def test_finds_gain_read_out_and_grain(
    gain: float, read_out: float, grain: float, sigma: float, spots_each: int
) -> None:
    found = measure_noise(projections(gain, read_out, grain, sigma, spots_each), window=7)
    assert found.gain == pytest.approx(gain, rel=0.06)
    assert found.read_out == pytest.approx(read_out, rel=0.1, abs=2.0)
    assert found.grain == pytest.approx(grain, abs=0.03)
    if grain:
        assert found.grain_sigma == pytest.approx(sigma, rel=0.15)


def test_says_when_there_is_no_room_beside_spots() -> None:
    rng = default_rng(3)
    images = rng.normal(100.0, 1.0, (5, 64, 64))
    images[2, ::6, ::6] += 1000.0
    with pytest.raises(InputError, match="spots cover nearly all"):
        measure_noise(xr.DataArray(images.astype(np.float32), dims=("channel", "y", "x")), window=3)


@pytest.mark.slow
def test_real_projections_have_grain(real_data: Path) -> None:
    stack = open_stack(real_data / "labdct" / "far_field_iron").isel(channel=slice(0, 13))
    found = measure_noise(stack)
    assert 0.4 < found.gain < 0.7
    assert 0.15 < found.grain < 0.35
    assert 0.6 < found.grain_sigma < 1.2
