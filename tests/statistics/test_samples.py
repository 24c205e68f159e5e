import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.stack import as_labels, as_stack
from beamforge.statistics.samples import quantiles_of_sorted, spread_whole_numbers, summarise


def small() -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat([0, 1], 200).reshape(20, 20)
    return default_rng(0).normal(size=(2, 20, 20)).astype(np.float32), labels


@given(st.integers(0, 2**32), st.integers(2, 300))
def test_quantiles_against_numpy(seed: int, n: int) -> None:
    x = np.sort(default_rng(seed).normal(size=n))
    p = np.linspace(0, 1, 17)
    np.testing.assert_allclose(quantiles_of_sorted(x, p), np.quantile(x, p, method="hazen"), atol=1e-12)


def test_whole_numbers_are_spread_and_others_are_not() -> None:
    counts = default_rng(0).poisson(50, 10_000)
    spread = spread_whole_numbers(counts, default_rng(1))
    np.testing.assert_array_equal(np.floor(spread + 0.5), counts)
    assert np.unique(spread).size > 9_900
    fractions = counts.astype(np.float32) + np.float32(0.25)
    np.testing.assert_array_equal(spread_whole_numbers(fractions, default_rng(1)), fractions)


def test_non_finite_pixels_are_left_out_and_counted() -> None:
    image, labels = small()
    image[1, 0, :7] = np.nan
    image[1, 1, :2] = np.inf
    summary = summarise(as_stack(image), as_labels(labels), default_rng(0))
    np.testing.assert_array_equal(summary.invalid, [[0, 9], [0, 0]])
    np.testing.assert_array_equal(summary.counts, [[200, 191], [200, 200]])
    assert np.isfinite(summary.high).all()


def test_a_class_with_too_few_pixels_is_named_with_its_count() -> None:
    image, labels = small()
    labels[labels == 1] = 255
    labels[0, :3] = 2
    with pytest.raises(InputError, match=r"'oil' \(0\), 'brine' \(3\).*at least 50"):
        summarise(as_stack(image), as_labels(labels, ["water", "oil", "brine"]), default_rng(0))


def test_a_class_that_is_hardly_finite_is_named_with_its_channel() -> None:
    image, labels = small()
    image[1, :9] = np.nan
    stack = as_stack(image, [{"mode": "H0"}, {"mode": "DF", "autocorrelation_length": 120.0}])
    with pytest.raises(
        InputError, match="'class 0' has 200 labelled pixels but only 20 finite ones in channel 'DF 120 nm'"
    ):
        summarise(stack, as_labels(labels), default_rng(0))


@pytest.mark.parametrize("value", [0.5, 7.0])
def test_a_constant_channel_is_named(value: float) -> None:
    image, labels = small()
    image[0, 10:] = value
    with pytest.raises(InputError, match=rf"channel 'H0' is constant \({value}\) inside class 'class 1'"):
        summarise(as_stack(image, [{"mode": "H0"}, {"mode": "H1"}]), as_labels(labels), default_rng(0))


def test_sizes_that_differ_are_refused() -> None:
    image, labels = small()
    with pytest.raises(InputError, match="20×19"):
        summarise(as_stack(image), as_labels(labels[:, :-1]), default_rng(0))


def test_a_lazy_stack_gives_the_same() -> None:
    import dask.array as da

    image, labels = small()
    lazy = as_stack(da.from_array(image, chunks=(1, 10, 10)))
    one, other = (summarise(s, as_labels(labels), default_rng(0)) for s in (as_stack(image), lazy))
    np.testing.assert_array_equal(one.knots, other.knots)
