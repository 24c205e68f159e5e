"""Steps that prepare images: against scikit-image, and fitted to the training part alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng
from skimage.exposure import match_histograms
from skimage.filters import unsharp_mask

from beamforge.errors import InputError
from beamforge.simulation import Sample
from beamforge.simulation.degradations.histogram_match import HistogramMatch
from beamforge.simulation.degradations.non_local_means import NonLocalMeans, noise_deviation
from beamforge.simulation.degradations.normalise import Normalise
from beamforge.simulation.degradations.unsharp_mask import UnsharpMask
from beamforge.stack import as_labels, as_stack
from contracts.step import StepContract


def run(step, image: np.ndarray) -> np.ndarray:
    sample = Sample(image.astype(np.float32), np.zeros(image.shape[1:], np.uint8))
    return step.apply(sample, step.draw(sample, default_rng(0)), default_rng(0)).image


class TestPreparationContract(StepContract):
    examples = [
        NonLocalMeans(reach=3),
        UnsharpMask(radius=(1.0, 2.0)),
        HistogramMatch(quantiles=[[0.0, 0.5, 2.0]] * 3),
        Normalise(offset=[0.5, 1.0, 0.0], scale=[2.0, 1.0, 0.1]),
    ]


def test_unsharp_masking_is_that_of_scikit_image() -> None:
    image = default_rng(1).normal(100, 20, (1, 24, 30))
    expected = unsharp_mask(image[0], radius=1.5, amount=1.0, preserve_range=True)
    inside = np.s_[8:-8, 8:-8]  # scikit-image continues the border in another way
    np.testing.assert_allclose(run(UnsharpMask(), image)[0][inside], expected[inside], rtol=1e-5)


@given(seed=st.integers(0, 2**32))
def test_matching_gives_the_histogram_of_the_reference(seed: int) -> None:
    rng = default_rng(seed)
    reference, image = rng.gamma(2.0, 3.0, (1, 40, 50)), rng.normal(5, 2, (1, 40, 50))
    step = HistogramMatch.fit(as_stack(reference), as_labels(np.zeros((40, 50), np.uint8)))
    found = run(step, image)
    expected = match_histograms(image[0], reference[0])
    assert np.abs(found[0] - expected).mean() < 0.05 * reference.std()
    # The order of the values stays.
    assert (np.diff(found[0].ravel()[np.argsort(image[0].ravel(), kind="stable")]) >= -1e-5).all()


def test_non_local_means_takes_noise_and_leaves_an_edge() -> None:
    clean = np.where(np.arange(48) < 24, 100.0, 200.0) * np.ones((48, 1))
    noisy = clean + default_rng(2).normal(0, 10, clean.shape)
    found = run(NonLocalMeans(), noisy[None])[0]
    assert np.std(found - clean) < 0.5 * np.std(noisy - clean)
    assert found[:, 26].mean() - found[:, 21].mean() > 90


@pytest.mark.parametrize("deviation", [0.5, 10.0])
def test_the_noise_is_estimated_on_a_slope_with_an_edge(deviation: float) -> None:
    y, x = np.mgrid[:128, :128]
    image = 3.0 * x + np.where(y < 50, 0.0, 500.0) + default_rng(0).normal(0, deviation, (128, 128))
    assert noise_deviation(image) == pytest.approx(deviation, rel=0.05)


def test_fits_see_labelled_pixels_alone() -> None:
    stack = as_stack(default_rng(3).normal(7, 2, (2, 20, 20)).astype(np.float32))
    labels = np.zeros((20, 20), np.uint8)
    labels[10:] = 255
    values = stack.values.copy()
    values[:, 10:] = 1e6
    step = Normalise.fit(as_stack(values), as_labels(labels, ["a"]))
    np.testing.assert_allclose(step.offset, stack.values[:, :10].mean(axis=(1, 2)), rtol=1e-5)
    match = HistogramMatch.fit(as_stack(values), as_labels(labels, ["a"]))
    assert match.quantiles.max() < 100
    with pytest.raises(InputError, match="no finite value"):
        Normalise.fit(as_stack(np.full((1, 4, 4), np.nan)), as_labels(np.zeros((4, 4), np.uint8)))


def test_gaps_stay_gaps_and_other_channels_are_refused() -> None:
    image = default_rng(4).normal(size=(1, 16, 16))
    image[0, 3, 4] = np.nan
    for step in (UnsharpMask(), NonLocalMeans(reach=2), HistogramMatch(quantiles=[[0.0, 1.0]])):
        found = run(step, image)
        assert np.isnan(found[0, 3, 4])
        assert np.isfinite(found).sum() == 255
    for step in (HistogramMatch(quantiles=[[0.0, 1.0]]), Normalise(offset=[0.0], scale=[1.0])):
        with pytest.raises(InputError, match="fitted to 1 channels, the image has 2"):
            run(step, np.zeros((2, 8, 8)))
    with pytest.raises(ValueError, match="must not fall"):
        HistogramMatch(quantiles=[[1.0, 0.0]])
