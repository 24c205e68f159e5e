from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy import ndimage, stats

from beamforge.errors import InputError
from beamforge.simulation import Sample
from beamforge.simulation.intensities.johnson_field import JohnsonField
from beamforge.simulation.partial_volume import shared_pixels, without_holes
from beamforge.stack import as_labels, as_stack
from beamforge.statistics.runs import Runs
from beamforge.statistics.value_tables import fill_values, value_tables
from contracts.step import StepContract, example_sample


def measurement(
    classes: int = 4, channels: int = 3, side: int = 96, seed: int = 3
) -> tuple[xr.DataArray, xr.DataArray]:
    """Smooth skewed noise that hangs together between channels, in stripes of classes."""
    rng = default_rng(seed)
    labels = np.repeat(np.arange(classes), side // classes)[:, None] * np.ones((1, side), int)
    shared = rng.normal(size=(side, side))
    image = np.stack([np.exp(0.2 * (shared + rng.normal(size=shared.shape))) + 2 * labels + c for c in range(channels)])
    return as_stack(image.astype(np.float32)), as_labels(labels)


class TestJohnsonFieldContract(StepContract):
    examples = [
        JohnsonField.fit(*measurement(), correlation="none"),
        JohnsonField.fit(*measurement(), correlation="channels", psf_sigma=1.2),
        JohnsonField.fit(*measurement(), correlation="both", psf_sigma=(0.0, 2.0), marginal="empirical"),
    ]


def test_values_stay_in_the_measured_range_of_their_class() -> None:
    stack, labels = measurement()
    field = JohnsonField.fit(stack, labels, correlation="both")
    sample = Sample(np.zeros((0, 96, 96), np.float32), labels.values)
    image = field.apply(sample, {"psf_sigma": 0.0}, default_rng(1)).image
    for label in range(4):
        inside = image[:, labels.values == label]
        assert (inside >= np.float32(field.model.marginals.low[label])[:, None]).all()
        assert (inside <= np.float32(field.model.marginals.high[label])[:, None]).all()


def test_an_unknown_class_is_refused() -> None:
    field = JohnsonField.fit(*measurement(classes=2))
    with pytest.raises(InputError, match=r"\[2, 3\].*0\.\.1"):
        field.apply(example_sample(classes=4), {"psf_sigma": 0.0}, default_rng(0))


def boards(side: int = 32, across: int = 6, classes: int = 4) -> np.ndarray:
    board = (np.arange(across)[:, None] + np.arange(across)[None, :]) % classes
    return board.repeat(side, 0).repeat(side, 1).astype(np.uint8)


def filled(field: JohnsonField, labels: np.ndarray, seed: int = 0, psf_sigma: float = 0.0) -> np.ndarray:
    sample = Sample(np.zeros((0, *labels.shape), np.float32), labels)
    return field.apply(sample, {"psf_sigma": psf_sigma}, default_rng(seed)).image


@pytest.mark.parametrize("marginal", ["johnson", "empirical"])
def test_values_have_the_trimmed_law(marginal: str) -> None:
    field = JohnsonField.fit(*measurement(), marginal=marginal, correlation="none")
    law = field.model.marginals
    labels = boards(side=100)
    image = filled(field, labels)
    for label in range(4):
        scores = law.to_normal(image[:, labels == label], label)
        for row in scores:
            # A plain normal sample, but for the pile of a few beyond the score of the extremes.
            assert stats.kstest(row, "norm").pvalue > 1e-4


def test_table_look_up_is_the_exact_map() -> None:
    field = JohnsonField.fit(*measurement(), correlation="none")
    tables = value_tables(field.model.marginals)
    z = default_rng(0).normal(size=(64, 64)).astype(np.float32)
    labels = boards(side=16, across=4)
    out = np.empty_like(z)
    fill_values(z, *Runs.of(labels).arrays, tables[1], out)
    for label in range(4):
        wanted = field.model.marginals.from_normal(np.stack([z[labels == label]] * 3), label)[1]
        sd = field.model.marginals.quantile(np.linspace(0.01, 0.99, 99))[label, 1].std()
        np.testing.assert_allclose(out[labels == label], wanted, atol=2e-4 * sd)


def test_a_blurred_edge_is_the_blurred_step_and_the_noise_keeps_its_texture() -> None:
    stack, labels = measurement(classes=2)
    field = JohnsonField.fit(stack, labels, correlation="none")
    halves = np.repeat([0, 1], 32)[None, :] * np.ones((400, 1), int)
    sharp, blurred = (filled(field, halves.astype(np.uint8), 3, sigma) for sigma in (0.0, 1.5))
    profile = (blurred[0].mean(axis=0) - sharp[0, :, :24].mean()) / (sharp[0, :, 40:].mean() - sharp[0, :, :24].mean())
    wanted = stats.norm.cdf((np.arange(64) - 31.5) / 1.5)
    np.testing.assert_allclose(profile, wanted, atol=0.03)
    # Away from the edge not a pixel changes.
    np.testing.assert_array_equal(blurred[:, :, :26], sharp[:, :, :26])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.3, 2.5))
def test_shares_of_pixels_against_a_gaussian_filter(seed: int, sigma: float) -> None:
    rng = default_rng(seed)
    classes = rng.integers(0, 4, (4, 5)).repeat(5, 0).repeat(6, 1).astype(np.uint8)
    shared = shared_pixels(classes, sigma)
    found = np.eye(4)[classes]
    for number, (y, x) in enumerate(shared.pixels):
        inside = slice(shared.starts[number], shared.starts[number + 1])
        found[y, x] = 0
        found[y, x, shared.classes[inside]] = shared.weights[inside]
    radius = int(np.ceil(3 * sigma))
    wanted = np.stack(
        [ndimage.gaussian_filter((classes == k).astype(float), sigma, mode="nearest", radius=radius) for k in range(4)],
        -1,
    )
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_ignored_pixels_take_the_nearest_class() -> None:
    labels = boards(side=16, across=4)
    holes = labels.copy()
    holes[6:9, 6:9] = 255
    np.testing.assert_array_equal(without_holes(holes), labels)
    np.testing.assert_array_equal(without_holes(np.full((3, 3), 255, np.uint8)), 0)
    field = JohnsonField.fit(*measurement(), correlation="both")
    np.testing.assert_array_equal(filled(field, holes), filled(field, labels))


def test_bytes_do_not_depend_on_threads() -> None:
    field = JohnsonField.fit(*measurement(), correlation="both", psf_sigma=1.0)
    labels = boards()
    alone = [filled(field, labels, seed, 1.0).tobytes() for seed in range(6)]
    for workers in (1, 4):
        with ThreadPoolExecutor(workers) as pool:
            assert list(pool.map(lambda seed: filled(field, labels, seed, 1.0).tobytes(), range(6))) == alone


def test_channels_and_neighbours_hang_together_as_measured() -> None:
    stack, labels = measurement(side=192)
    field = JohnsonField.fit(stack, labels, correlation="channels")
    image = filled(field, labels.values)
    for label in range(4):
        inside = labels.values == label
        found = stats.spearmanr(image[:, inside], axis=1).statistic
        wanted = stats.spearmanr(stack.values[:, inside], axis=1).statistic
        np.testing.assert_allclose(found, wanted, atol=0.04)
