"""A field simulated under a known law, and the law estimated from it again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.stack import as_labels, as_stack
from beamforge.statistics import IntensityModel
from beamforge.statistics.correlation import FACTORS, ChannelMatrices, Correlation, gaussian_mixture
from beamforge.statistics.correlation_fit import shrunk
from beamforge.statistics.random_field import ScoreField, bumps, separated
from beamforge.statistics.runs import Runs


def law(channels: int = 2, share: tuple[float, ...] = (0.1, 0.5)) -> Correlation:
    """Noise over a pixel, drift over 8 and 24 px; noise hangs together by 0.5 and 0.8, drift by 0.9."""
    classes = len(share)
    place = np.arange(-3, 4)
    kernel = np.exp(-0.5 * (place[:, None] ** 2 / 0.8**2 + place[None, :] ** 2 / 0.5**2))
    identity = np.eye(channels)
    noise = np.stack([r + (1 - r) * identity for r in np.linspace(0.5, 0.8, classes)])
    return Correlation(
        kind="both",
        noise=ChannelMatrices.nearest(noise),
        drift=ChannelMatrices.nearest(np.stack([0.9 + 0.1 * identity] * classes)),
        kernel=kernel / np.sqrt((kernel**2).sum()),
        drift_sigmas=[8.0, 24.0],
        drift_weights=[0.4, 0.6],
        drift_share=np.repeat(np.array(share)[:, None], channels, axis=1),
    )


def simulate(correlation: Correlation, classes: np.ndarray, seed: int) -> np.ndarray:
    field = ScoreField(correlation, Runs.of(classes.astype(np.uint8)), default_rng(seed))
    out = np.empty((correlation.drift_share.shape[1], *classes.shape), np.float32)
    for channel, plane in enumerate(out):
        field.scores(channel, plane)
    return out


def squares(count: int, side: int, across: int) -> np.ndarray:
    board = (np.arange(across)[:, None] + np.arange(across)[None, :]) % count
    return board.repeat(side, 0).repeat(side, 1)


def test_a_simulated_field_has_the_law() -> None:
    # Short drift, so that a few hundred small fields hold many independent pieces of it.
    correlation = law().model_copy(update={"drift_sigmas": np.array([4.0, 8.0])})
    labels = np.repeat([0, 1], 48)[:, None] * np.ones((1, 96), int)
    fields = np.stack([simulate(correlation, labels, seed) for seed in range(300)])
    np.testing.assert_allclose(fields.mean(axis=(0, 2, 3)), 0.0, atol=0.06)
    for label in (0, 1):
        z = fields[:, :, labels[:, 0] == label]
        for dy, dx in ((0, 0), (0, 1), (1, 0), (4, 0), (0, 16)):
            first, second = z[:, :, : 48 - dy, : 96 - dx], z[:, :, dy:, dx:]
            found = np.einsum("nayx,nbyx->ab", first, second, dtype=np.float64) / first[:, 0].size
            np.testing.assert_allclose(found, correlation.at(dy, dx, label), atol=0.04)


def test_estimates_give_the_law_back() -> None:
    correlation = law()
    rng_labels = squares(2, 64, 12)
    z = simulate(correlation, rng_labels, 7)
    values = np.exp(0.3 * z) + 3 * rng_labels  # ranks know nothing of the curve
    model = IntensityModel.fit(as_stack(values.astype(np.float32)), as_labels(rng_labels), correlation="both")
    found = model.correlation
    for label in (0, 1):
        for dy, dx in ((0, 0), (0, 1), (1, 0), (0, 2), (4, 0), (0, 16)):
            np.testing.assert_allclose(found.at(dy, dx, label), correlation.at(dy, dx, label), atol=0.06)
    np.testing.assert_allclose(found.drift_share, correlation.drift_share, atol=0.08)


def test_simulated_and_estimated_again_many_channels() -> None:
    channels = 24
    correlation = law(channels, (0.3, 0.3))
    labels = squares(2, 48, 10)
    values = simulate(correlation, labels, 3)
    found = IntensityModel.fit(as_stack(values), as_labels(labels), correlation="both").correlation
    assert found.noise.loadings.shape == (2, channels, FACTORS)
    for label in (0, 1):
        np.testing.assert_allclose(found.channels_of(label), correlation.channels_of(label), atol=0.1)
        difference = found.at(0, 1, label) - correlation.at(0, 1, label)
        assert np.sqrt(np.mean(difference**2)) < 0.04


@pytest.mark.parametrize("kind", ["channels", "space"])
def test_half_of_the_law(kind: str) -> None:
    correlation = law(2, (0.2, 0.2))
    labels = squares(2, 64, 8)
    values = simulate(correlation, labels, 5)
    found = IntensityModel.fit(as_stack(values), as_labels(labels), correlation=kind).correlation
    whole = correlation.at(0, 1, 0)
    if kind == "channels":
        np.testing.assert_allclose(found.channels_of(0), correlation.channels_of(0), atol=0.06)
        np.testing.assert_array_equal(found.at(0, 1, 0), 0.0)
    else:
        np.testing.assert_allclose(found.channels_of(0), np.eye(2), atol=1e-12)
        np.testing.assert_allclose(np.diag(found.at(0, 1, 0)), np.diag(whole), atol=0.05)


def test_independent_pixels_are_found_independent() -> None:
    values = default_rng(0).normal(size=(2, 256, 256)).astype(np.float32)
    found = IntensityModel.fit(as_stack(values), as_labels(squares(2, 64, 4)), correlation="both").correlation
    np.testing.assert_allclose(found.at(0, 1, 0), 0.0, atol=0.02)
    np.testing.assert_allclose(found.channels, np.eye(2), atol=0.02)
    assert not found.has_drift


def test_real_step_wedge(real_data) -> None:
    # What is known of the 20 s exposure: in the mean over the steps 0.40 at 1 px, 0.19 at 4 px, 0.17 at 16 px, and
    # 0.70 between the two transmissions.
    import tifffile

    folder = real_data / "neutron" / "step_wedge"
    dark, beam, empty, water = (
        tifffile.imread(folder / f"exp20s_{name}.tif").astype(np.float32) for name in ("dc", "ob", "empty", "h2o")
    )
    stack = as_stack(np.stack([(water - dark) / (beam - dark), (water - dark) / (empty - dark)]))
    labels = as_labels(tifffile.imread(folder / "labels_water_steps.tif"))
    found = IntensityModel.fit(stack, labels, correlation="both").correlation

    def mean(dy: int, dx: int, a: int, b: int) -> float:
        return float(np.mean([found.at(dy, dx, label)[a, b] for label in range(1, 11)]))

    for lag, published in ((1, 0.40), (4, 0.19), (16, 0.17)):
        assert abs(0.5 * (mean(0, lag, 0, 0) + mean(lag, 0, 0, 0)) - published) < 0.04
    assert abs(mean(0, 0, 0, 1) - 0.70) < 0.03
    # Thick steps drift most.
    assert found.drift_share[9, 0] > 2 * found.drift_share[1, 0]


@given(st.integers(0, 2**32), st.sampled_from([3, FACTORS, 20]))
def test_any_estimate_becomes_a_correlation_matrix(seed: int, channels: int) -> None:
    raw = default_rng(seed).normal(size=(2, channels, channels))
    matrices = ChannelMatrices.nearest(raw + raw.swapaxes(1, 2))
    for label in (0, 1):
        matrix = matrices.matrix(label)
        np.testing.assert_allclose(np.diag(matrix), 1.0)
        assert np.linalg.eigvalsh(matrix).min() > 0


@given(st.integers(0, 2**32), st.floats(0.0, 0.9))
def test_a_valid_matrix_of_few_channels_is_kept(seed: int, shared: float) -> None:
    mixing = default_rng(seed).normal(size=(5, 9))
    covariance = mixing @ mixing.T
    scale = np.sqrt(np.diag(covariance))
    wanted = (1 - shared) * covariance / np.outer(scale, scale) + shared * np.eye(5)
    np.testing.assert_allclose(ChannelMatrices.nearest(wanted[None]).matrix(0), wanted, atol=2e-3)


def test_few_pixels_pull_correlations_to_the_target() -> None:
    true = 0.6 + 0.4 * np.eye(30)
    x = np.linalg.cholesky(true) @ default_rng(0).normal(size=(30, 40))
    raw = x @ x.T / 40
    pulled = shrunk(raw, 40, true)
    off = ~np.eye(30, dtype=bool)
    scale = np.sqrt(np.outer(np.diag(raw), np.diag(raw)))
    assert np.std((pulled / scale - true)[off]) < 0.6 * np.std((raw / scale - true)[off])
    np.testing.assert_allclose(shrunk(raw, 1e12, true), raw)


def test_gaussian_mixture_at_zero_is_one() -> None:
    np.testing.assert_allclose(gaussian_mixture(0, [0.0, 0.5, 9.0]), 1.0)
    np.testing.assert_allclose(gaussian_mixture(3.0, [0.0, 2.0]), [0.0, np.exp(-9 / 16)])


def test_kernels_are_put_together_again_from_their_parts() -> None:
    kernel = law().kernel
    columns, rows = separated(kernel)
    assert len(columns) == 1
    np.testing.assert_allclose(columns.T @ rows, kernel, atol=1e-6)
    cross = np.zeros((7, 7))
    cross[3], cross[:, 3] = 0.1, 0.2
    columns, rows = separated(cross)
    np.testing.assert_allclose(columns.T @ rows, cross, atol=5e-3)


@pytest.mark.parametrize("sigma", [4.0, 5.7, 64.0])
def test_bumps_have_the_correlation_of_their_sigma(sigma: float) -> None:
    weights, first, points = bumps(200, sigma, 1.0)
    dense = np.zeros((200, points))
    for pixel in range(200):
        dense[pixel, first[pixel] : first[pixel] + weights.shape[1]] = weights[pixel]
    covariance = dense @ dense.T
    distance = np.abs(np.subtract.outer(np.arange(200), np.arange(200)))
    np.testing.assert_allclose(covariance, np.exp(-(distance**2) / (4 * sigma**2)), atol=2e-3)


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 9))
def test_runs_tell_the_image(seed: int, height: int, width: int) -> None:
    classes = default_rng(seed).integers(0, 3, (height, width)).astype(np.uint8)
    shape, (rows, ends, labels) = Runs.of(classes)
    again = np.empty(shape, np.uint8)
    for y in range(height):
        begin = 0
        for run in range(rows[y], rows[y + 1]):
            again[y, begin : ends[run]] = labels[run]
            begin = ends[run]
        assert begin == width
    np.testing.assert_array_equal(again, classes)
