import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy.special import log_softmax, softmax

from beamforge.classical import MeanField


def by_loops(log_likelihoods: np.ndarray, field: MeanField) -> np.ndarray:
    """The mean field written out neighbour by neighbour."""
    _, height, width = log_likelihoods.shape
    unary = log_likelihoods / field.temperature
    q = softmax(unary, axis=0)
    for _ in range(field.iterations):
        message = np.zeros_like(q)
        for y in range(height):
            for x in range(width):
                total = 0.0
                for v in range(max(0, y - field.radius), min(height, y + field.radius + 1)):
                    for u in range(max(0, x - field.radius), min(width, x + field.radius + 1)):
                        if (v, u) != (y, x):
                            weight = np.exp(-((v - y) ** 2 + (u - x) ** 2) / (2 * field.sigma_px**2))
                            total += weight
                            message[:, y, x] += weight * q[:, v, u]
                message[:, y, x] *= field.strength / total
        q = softmax(unary + message, axis=0)
    return q


@given(
    st.floats(0, 20), st.floats(0.4, 1.5), st.integers(1, 3), st.floats(0.5, 8), st.integers(0, 2**32),
)  # fmt: skip
@settings(max_examples=15, deadline=None)
def test_messages_by_convolution_are_messages_by_loops(strength, sigma, iterations, temperature, seed) -> None:
    field = MeanField(strength=strength, sigma_px=sigma, iterations=iterations, temperature=temperature)
    unary = default_rng(seed).normal(0, 2, (3, 6, 7))
    np.testing.assert_allclose(np.exp(field(unary)), by_loops(unary, field), atol=2e-4)


def test_without_strength_every_pixel_judges_alone() -> None:
    unary = default_rng(0).normal(0, 3, (4, 10, 11))
    np.testing.assert_allclose(MeanField(strength=0.0)(unary), log_softmax(unary, axis=0), atol=1e-5)


@given(st.permutations(range(4)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_the_classes_does_not_matter(order) -> None:
    unary = default_rng(1).normal(0, 3, (4, 9, 8))
    np.testing.assert_allclose(MeanField()(unary[order]), MeanField()(unary)[order], atol=2e-4)


def test_a_pixel_without_opinion_follows_its_neighbours() -> None:
    unary = np.zeros((2, 15, 15))
    unary[1, :, 8:] = 3.0
    unary[0, :, :8] = 3.0
    unary[:, 7, 2] = unary[:, 7, 12] = 0.0
    found = MeanField(strength=3.0, sigma_px=1.0)(unary).argmax(axis=0)
    assert found[7, 2] == 0
    assert found[7, 12] == 1
    assert found.mean(axis=0).tolist() == [0] * 8 + [1] * 7


def test_smoothing_recovers_squares_from_noise() -> None:
    truth = default_rng(2).integers(0, 3, (4, 4)).repeat(16, 0).repeat(16, 1)
    rng = default_rng(3)
    image = truth + rng.normal(0, 0.8, truth.shape)
    unary = -0.5 * ((image - np.arange(3)[:, None, None]) / 0.8) ** 2
    alone = (unary.argmax(axis=0) != truth).mean()
    together = (MeanField(strength=4.0, sigma_px=1.5)(unary).argmax(axis=0) != truth).mean()
    assert alone > 0.3
    assert together < 0.08


def test_a_single_pixel_has_no_neighbours() -> None:
    unary = np.array([0.0, 1.0])[:, None, None]
    np.testing.assert_allclose(MeanField()(unary), log_softmax(unary, axis=0), atol=1e-6)


@pytest.mark.parametrize("setting", [{"strength": -1}, {"sigma_px": 0}, {"iterations": 0}, {"temperature": 0}])
def test_settings_out_of_range_are_refused(setting) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        MeanField(**setting)
