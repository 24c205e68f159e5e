import dask.array as da
import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.reduction.binning import bin_channels
from beamforge.stack import as_stack, channels_of

RECORDS = [{"mode": "T", "wavelength": 1.0 + 0.5 * i} for i in range(11)]


@pytest.mark.parametrize("lazy", [False, True])
def test_bins_are_means_of_values_and_coordinates(lazy: bool) -> None:
    image = default_rng(0).integers(0, 60000, (11, 5, 6)).astype(np.uint16)
    stack = as_stack(da.from_array(image, chunks=(1, 5, 6)) if lazy else image, RECORDS, units="counts")
    binned = bin_channels(stack, 4)
    assert (binned.chunks is not None) == lazy
    assert binned.dtype == np.float32
    np.testing.assert_allclose(binned.values, [image[:4].mean(axis=0), image[4:8].mean(axis=0)], rtol=1e-6)
    assert [channel.numbers["wavelength"] for channel in channels_of(binned)] == [1.75, 3.75]
    assert binned.attrs["units"] == "counts"


def test_bins_that_make_no_sense_are_refused() -> None:
    stack = as_stack(np.zeros((3, 4, 4), np.float32), [{"mode": "H0"}, {"mode": "H0"}, {"mode": "H1"}])
    with pytest.raises(InputError, match="mix the modes H0, H1"):
        bin_channels(stack, 3)
    with pytest.raises(InputError, match="0 channels a bin"):
        bin_channels(stack, 0)
    with pytest.raises(InputError, match="4 channels a bin of a stack of 3"):
        bin_channels(stack, 4)
