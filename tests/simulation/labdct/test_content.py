import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beamforge.errors import InputError
from beamforge.simulation.labdct.content import content_image, numbered_content


def gaussian(amplitude: float, width: float, size: int = 61) -> np.ndarray:
    y, x = np.ogrid[:size, :size]
    middle = size // 2
    return (amplitude * np.exp(-((y - middle) ** 2 + (x - middle) ** 2) / (2.0 * width**2))).astype(np.float32)


@given(amplitude=st.floats(20.0, 1e5), width=st.floats(2.0, 5.0))
def test_a_gaussian_reaches_to_where_its_laplacian_vanishes(amplitude: float, width: float) -> None:
    # Smoothed by σ = 1 the zero is at r² = 2 (width² + 1): closed form. The floor must not cut before that.
    radius2 = 2.0 * (width**2 + 1.0)
    floor = 0.01 * amplitude * np.exp(-radius2 / (2.0 * width**2))
    area = content_image(gaussian(amplitude, width), sigma=1.0, floor=floor).sum()
    # A disk's pixels differ from its area by less than its rim.
    assert abs(area - np.pi * radius2) < 2.0 * np.pi * np.sqrt(radius2)


def test_the_flat_middle_of_a_large_spot_belongs_to_it() -> None:
    clean = np.zeros((60, 60), np.float32)
    clean[15:45, 15:45] = 50.0
    found = content_image(clean)
    np.testing.assert_array_equal(found, clean > 0)


def test_brightness_does_not_change_the_extent() -> None:
    clean = gaussian(100.0, 3.0)
    np.testing.assert_array_equal(content_image(clean), content_image(1000.0 * clean, floor=1000.0))


def test_numbers_are_those_of_the_owners_and_slivers_are_dropped() -> None:
    clean = gaussian(100.0, 3.0)
    owners = np.where(clean > 0.0, 7, 0)
    owners[30, 30:33] = 9
    numbers = numbered_content(clean, owners)
    assert set(np.unique(numbers)) == {0, 7}
    assert numbers[30, 31] == 0


def test_noise_is_refused() -> None:
    with pytest.raises(InputError, match="0 and more"):
        content_image(gaussian(5.0, 2.0) - 1.0)
