"""Volumes read slice by slice."""

import numpy as np
import pytest
import xarray as xr
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.io.slices import VolumeSlices
from beamforge.stack import Classes

NAMES = ("pore", "oxide", "metal")


def test_a_volume_is_read_slice_by_slice_and_empty_slices_are_not_annotated() -> None:
    data = default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
    marked = np.full((5, 6, 7), 255, np.uint8)
    marked[[1, 3]] = 2
    volume, labels = (xr.DataArray(one, dims=("z", "y", "x")).chunk({"z": 1}) for one in (data, marked))
    slices = VolumeSlices(volume, labels, Classes(names=NAMES))
    assert slices.annotated == (1, 3)
    np.testing.assert_array_equal(slices.window(0, 1), data[[0, 0, 1]])
    marked[3, 0, 0] = 9
    with pytest.raises(InputError, match=r"slice 3 holds the class numbers \[9\]"):
        VolumeSlices(volume, xr.DataArray(marked, dims=("z", "y", "x")), Classes(names=NAMES)).labels(3)
    with pytest.raises(InputError, match="must agree"):
        VolumeSlices(volume[:4], labels, Classes(names=NAMES))
