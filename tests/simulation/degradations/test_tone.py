import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.simulation.degradations.tone import Tone
from contracts.step import StepContract, example_sample


class TestTone(StepContract):
    examples = [Tone(), Tone(brightness=0.0, contrast=2.0)]


@given(st.floats(-2, 2), st.floats(0.3, 3))
def test_mean_and_deviation_change_as_said_whatever_the_units(brightness: float, contrast: float) -> None:
    sample = example_sample()
    image = sample.image * np.array([1, 1e4, 1e-3], np.float32)[:, None, None]
    image[1, 4:6] = np.nan
    after = (
        Tone()
        .apply(sample.replace(image=image), {"brightness": brightness, "contrast": contrast}, default_rng(0))
        .image.astype(np.float64)
    )
    np.testing.assert_array_equal(np.isnan(after), np.isnan(image))
    before = image.astype(np.float64)
    mean, deviation = (f(before, axis=(1, 2)) for f in (np.nanmean, np.nanstd))
    np.testing.assert_allclose(
        np.nanmean(after, axis=(1, 2)), mean + brightness * deviation, atol=1e-5 * deviation.max()
    )
    np.testing.assert_allclose(np.nanstd(after, axis=(1, 2)), contrast * deviation, rtol=1e-4)
