import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.classical.spots import fill_spots
from beamforge.errors import InputError


def test_spots_take_the_median_of_the_valid_pixels_of_five_by_five() -> None:
    rng = default_rng(0)
    image = rng.normal(100.0, 10.0, (30, 40)).astype(np.float32)
    image[5, 5] = np.nan
    spots = rng.random(image.shape) < 0.15
    filled, left = fill_spots(image, spots)
    assert not left.any()
    for row, column in zip(*np.nonzero(spots), strict=True):
        around = (slice(max(0, row - 2), row + 3), slice(max(0, column - 2), column + 3))
        valid = image[around][~spots[around] & np.isfinite(image[around])]
        if len(valid) >= 6:
            assert filled[row, column] == pytest.approx(float(np.median(valid)), rel=1e-6)


@settings(max_examples=25)
@given(seed=st.integers(0, 1000), share=st.floats(0.0, 0.9), kind=st.sampled_from(["uint8", "uint16", "float32"]))
def test_clean_pixels_stay_and_filled_ones_lie_in_their_range(seed: int, share: float, kind: str) -> None:
    rng = default_rng(seed)
    image = rng.integers(0, 200, (24, 17)).astype(kind)
    spots = rng.random(image.shape) < share
    filled, left = fill_spots(image, spots)
    assert filled.dtype == image.dtype
    np.testing.assert_array_equal(filled[~spots], image[~spots])
    np.testing.assert_array_equal(filled[left], image[left])
    clean = image[~spots]
    if len(clean):
        assert ((filled[spots & ~left] >= clean.min()) & (filled[spots & ~left] <= clean.max())).all()


def test_a_spot_too_large_to_fill_is_left_and_said() -> None:
    image = np.full((80, 80), 5, np.uint16)
    spots = np.zeros(image.shape, bool)
    spots[10:60, 10:60] = True
    image[spots] = 65535
    filled, left = fill_spots(image, spots)
    assert left[35, 35]
    assert filled[35, 35] == 65535
    assert not left[10, 10]
    assert filled[10, 10] == 5


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(InputError, match=r"\(4, 4\).*\(4, 5\)"):
        fill_spots(np.zeros((4, 4)), np.zeros((4, 5), bool))
