import numpy as np
import pytest
from numpy.random import default_rng
from scipy import stats
from scipy.special import ndtr, softmax
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier

from beamforge.classical import AnalyticClassifier, Classifier, MeanField
from beamforge.classical.tables import FARTHEST, INSIDE, OUTSIDE, Tables
from beamforge.stack import Channel, Classes, as_labels, as_stack
from beamforge.statistics.correlation import ChannelMatrices, Correlation
from beamforge.statistics.marginals import EmpiricalMarginals, JohnsonMarginals
from beamforge.statistics.model import IntensityModel
from contracts.predictor import PredictorContract


def johnson_model(curves: list[list[tuple[str, float, float, float, float]]], matrix: np.ndarray) -> IntensityModel:
    """A model of curves (class, channel) known by heart, trimmed where next to nothing lies beyond."""
    family = tuple(tuple(curve[0] for curve in row) for row in curves)
    gamma, eta, epsilon, lambda_ = np.moveaxis(np.array([[curve[1:] for curve in row] for row in curves]), -1, 0)
    shape = gamma.shape
    marginals = JohnsonMarginals(
        counts=np.full(shape, 10**9), low=np.zeros(shape), high=np.ones(shape), ks=np.zeros(shape),
        w1=np.zeros(shape), family=family, gamma=gamma, eta=eta, epsilon=epsilon, lambda_=lambda_,
    )  # fmt: skip
    low, high = np.moveaxis(marginals.curves.from_normal(np.broadcast_to([-6.0, 6.0], (*shape, 2))), -1, 0)
    return IntensityModel(
        classes=Classes.numbered(shape[0]),
        channels=tuple(Channel(mode=f"c{i}") for i in range(shape[1])),
        marginals=marginals.model_copy(update={"low": low, "high": high}),
        correlation=Correlation.of_channels(ChannelMatrices.nearest(np.stack([matrix] * shape[0]))),
        invalid_counts=np.zeros(shape),
    )


def normal(mean: float, sd: float) -> tuple[str, float, float, float, float]:
    return "SN", 0.0, 1.0, mean, sd


def drawn(model: IntensityModel, truth: np.ndarray, seed: int) -> np.ndarray:
    """Independent pixels of a model, (channel, y, x)."""
    rng = default_rng(seed)
    image = np.empty((len(model.channels), *truth.shape), np.float32)
    for label in range(len(model.classes)):
        inside = truth == label
        factor = np.linalg.cholesky(model.correlation.channels_of(label))
        scores = factor @ rng.normal(size=(len(model.channels), inside.sum()))
        image[:, inside] = model.marginals.from_normal(scores, label)
    return image


MATRIX = np.array([[1.0, 0.6, -0.2], [0.6, 1.0, 0.1], [-0.2, 0.1, 1.0]])
CURVES = [
    [("SU", 0.4, 1.6, 0.0, 1.0), ("SB", 0.5, 1.2, -2.5, 6.0), normal(0.0, 1.0)],
    [("SU", -0.3, 1.4, 0.8, 1.0), ("SB", -0.2, 1.1, -2.5, 6.0), normal(0.7, 1.3)],
    [("SU", 0.0, 2.0, -0.8, 1.5), ("SB", 0.9, 1.5, -2.5, 6.0), normal(-0.6, 0.8)],
]
MODEL = johnson_model(CURVES, MATRIX)
TRUTH = default_rng(0).integers(0, 3, (250, 240))
IMAGE = drawn(MODEL, TRUTH, 1)


def densities_by_scipy(image: np.ndarray, channels: tuple[int, ...] = (0, 1, 2)) -> np.ndarray:
    """Log-densities (class, y, x) of the curves above, from SciPy's own distributions."""
    law = {
        "SN": lambda c: stats.norm(c[3], c[4]),
        "SU": lambda c: stats.johnsonsu(c[1], c[2], c[3], c[4]),
        "SB": lambda c: stats.johnsonsb(c[1], c[2], c[3], c[4]),
    }
    # The model keeps a thousandth of the variance of every channel to itself.
    matrix = MODEL.correlation.channels_of(0)[np.ix_(channels, channels)]
    found = []
    for row in CURVES:
        laws = [law[row[channel][0]](row[channel]) for channel in channels]
        chances = np.stack([one.cdf(image[c]) for c, one in zip(channels, laws, strict=True)], axis=-1)
        scores = stats.norm.ppf(np.clip(chances, 1e-15, 1 - 1e-15))
        marginal = sum(one.logpdf(image[c]) for c, one in zip(channels, laws, strict=True))
        joint = stats.multivariate_normal(np.zeros(len(channels)), matrix).logpdf(scores)
        found.append(marginal + joint - stats.norm.logpdf(scores).sum(axis=-1))
    return np.array(found)


def fitted(marginal: str, smoothing: MeanField | None = None) -> AnalyticClassifier:
    labels = as_labels(np.where(np.arange(250)[:, None] < 3, 255, TRUTH))
    model = IntensityModel.fit(as_stack(IMAGE), labels, marginal=marginal, correlation="channels")
    return AnalyticClassifier(model, smoothing)


class TestAnalyticContract(PredictorContract):
    examples = [
        AnalyticClassifier(MODEL),
        fitted("johnson", MeanField(iterations=2, sigma_px=1.0)),
        fitted("empirical"),
    ]


def test_error_of_two_normal_classes_is_that_of_the_closed_form() -> None:
    # Two Gaussians of equal covariance at Mahalanobis distance d: the error of the best rule is Phi(-d/2).
    model = johnson_model([[normal(0, 1), normal(2, 3)], [normal(1, 1), normal(0, 3)]], MATRIX[:2, :2])
    shift = np.array([1.0, -2.0 / 3.0])
    expected = ndtr(-0.5 * np.sqrt(shift @ np.linalg.solve(MATRIX[:2, :2], shift)))
    truth = default_rng(5).integers(0, 2, (500, 500))
    found = AnalyticClassifier(model).log_probabilities(drawn(model, truth, 6)[None])[0].argmax(axis=0)
    assert (found != truth).mean() == pytest.approx(expected, abs=3 * np.sqrt(expected * (1 - expected) / truth.size))


def test_likelihoods_are_those_of_scipys_curves() -> None:
    expected = densities_by_scipy(IMAGE.astype(np.float64))
    found = AnalyticClassifier(MODEL).log_likelihoods(IMAGE)
    # The model ends at six standard deviations, SciPy's curves do not.
    scores = [MODEL.marginals.to_normal(IMAGE.reshape(3, -1), label) for label in range(3)]
    typical = (np.abs(scores).max(axis=1) < 5).reshape(expected.shape)
    assert typical.mean() > 0.9
    assert np.abs(found - expected)[typical].max() < 2e-3


def test_probabilities_are_calibrated_and_the_error_is_the_one_they_foretell() -> None:
    # Under the true law the expected error of the best rule is the mean of 1 - max posterior: Bayes's own estimate.
    found = AnalyticClassifier(MODEL).log_probabilities(IMAGE[None])[0]
    posterior = softmax(densities_by_scipy(IMAGE.astype(np.float64)), axis=0)
    foretold = 1 - posterior.max(axis=0)
    error = (found.argmax(axis=0) != TRUTH).mean()
    assert error == pytest.approx(foretold.mean(), abs=3 * np.sqrt(foretold.mean() / TRUTH.size))
    np.testing.assert_allclose(np.exp(found), posterior, atol=2e-3)


def test_no_trained_classifier_is_better() -> None:
    test_truth = default_rng(8).integers(0, 3, (200, 200))
    test_image = drawn(MODEL, test_truth, 9)
    ours = AnalyticClassifier(MODEL).log_probabilities(test_image[None])[0].argmax(axis=0) == test_truth
    pixels, answers = IMAGE.reshape(3, -1).T, TRUTH.ravel()
    for peer in (QuadraticDiscriminantAnalysis(), HistGradientBoostingClassifier(max_iter=60, random_state=0)):
        theirs = peer.fit(pixels, answers).predict(test_image.reshape(3, -1).T) == test_truth.ravel()
        gap = theirs.astype(float) - ours.ravel()
        assert gap.mean() < 2.5 * gap.std() / np.sqrt(gap.size)


@pytest.mark.parametrize("marginal", ["johnson", "empirical"])
def test_a_fitted_model_comes_close_to_the_true_one(marginal) -> None:
    truth = default_rng(10).integers(0, 3, (200, 200))
    image = drawn(MODEL, truth, 11)[None]
    best = (AnalyticClassifier(MODEL).log_probabilities(image)[0].argmax(axis=0) != truth).mean()
    learnt = (fitted(marginal).log_probabilities(image)[0].argmax(axis=0) != truth).mean()
    assert best - 0.005 < learnt < best + 0.01


def test_ignoring_the_correlation_costs_accuracy() -> None:
    alone = MODEL.model_copy(update={"correlation": Correlation.none(3, 3)})
    errors = [
        (AnalyticClassifier(model).log_probabilities(IMAGE[None])[0].argmax(axis=0) != TRUTH).mean()
        for model in (MODEL, alone)
    ]
    assert errors[1] > errors[0] + 0.02


def test_missing_channels_are_integrated_out() -> None:
    image = IMAGE[:, :20, :20].copy()
    image[1, :10] = np.nan
    image[0, 10:15] = np.inf
    image[:, 15] = np.nan
    found = AnalyticClassifier(MODEL).log_likelihoods(image)
    for rows, present in ((np.s_[:10], (0, 2)), (np.s_[10:15], (1, 2)), (np.s_[16:], (0, 1, 2))):
        expected = densities_by_scipy(IMAGE[:, :20, :20].astype(np.float64)[:, rows], present)
        typical = expected.max(axis=0) - expected < 6
        assert np.abs(found[:, rows] - expected)[typical].max() < 2e-3
    np.testing.assert_array_equal(found[:, 15], 0)


def test_the_prior_shifts_the_log_likelihoods() -> None:
    prior = (0.7, 0.2, 0.1)
    image = IMAGE[:, :10, :10]
    shifted = AnalyticClassifier(MODEL, prior=prior).log_likelihoods(image)
    expected = np.broadcast_to(np.log(prior)[:, None, None], shifted.shape)
    np.testing.assert_allclose(shifted - AnalyticClassifier(MODEL).log_likelihoods(image), expected, atol=1e-9)


def test_intensities_that_no_class_has_shown_go_to_the_nearest() -> None:
    model = johnson_model([[normal(0, 1)], [normal(10, 1)], [normal(20, 1)]], np.eye(1))
    values = np.array([-500, -30, 3, 7, 13, 17, 60, 5000], np.float32)
    found = AnalyticClassifier(model).log_probabilities(values[None, None, None])[0, :, 0].argmax(axis=0)
    assert found[1:].tolist() == [0, 0, 1, 1, 2, 2, 2]


def test_hundreds_of_channels_stay_finite_and_normalised() -> None:
    rng = default_rng(12)
    channels = 252
    factors = rng.normal(size=(channels, 3))
    curves = [[normal(mean, 1.0) for mean in rng.normal(0, 0.3, channels)] for _ in range(4)]
    model = johnson_model(curves, np.corrcoef(factors @ factors.T + 0.05 * np.eye(channels)))
    truth = rng.integers(0, 4, (30, 30))
    image = drawn(model, truth, 13)
    image[:, 0, 0] = 1e5
    found = AnalyticClassifier(model).log_probabilities(image[None])[0]
    assert np.isfinite(found).all()
    assert (found.argmax(axis=0) == truth)[1:].all()


def test_smoothing_is_the_mean_field_of_the_likelihoods() -> None:
    field = MeanField(strength=3.0, sigma_px=1.0)
    image = IMAGE[:, :30, :30]
    plain, smooth = AnalyticClassifier(MODEL), AnalyticClassifier(MODEL, field)
    np.testing.assert_array_equal(smooth.log_probabilities(image[None])[0], field(plain.log_likelihoods(image)))
    assert (plain.halo, smooth.halo) == (0, field.halo)


def test_one_file_holds_everything(tmp_path) -> None:
    classifier = fitted("empirical", MeanField(temperature=3.0))
    classifier.save(tmp_path / "analytic.json")
    again = Classifier.load(tmp_path / "analytic.json")
    assert isinstance(again, AnalyticClassifier)
    assert again.smoothing == classifier.smoothing
    assert isinstance(again.model.marginals, EmpiricalMarginals)
    np.testing.assert_array_equal(again.model.marginals.knots, classifier.model.marginals.knots)


@pytest.mark.parametrize("marginal", ["johnson", "empirical"])
def test_tables_are_exact_at_their_nodes(marginal) -> None:
    marginals = fitted(marginal).model.marginals
    tables = Tables.of(marginals)
    assert tables.density.shape == (3, 3, 2 * OUTSIDE + INSIDE)
    rng = default_rng(14)
    for label in range(3):
        low, high = marginals.low[label][:, None], marginals.high[label][:, None]
        inside = low + rng.integers(1, INSIDE - 1, (3, 200)) / (INSIDE - 1) * (high - low)
        away = np.expm1(rng.integers(1, OUTSIDE, (3, 200)) / (OUTSIDE - 1) * np.log1p(FARTHEST)) * (high - low)
        for values in (inside, low - away, high + away):
            density, scores = tables.look_up(values, np.arange(3), label)
            # Hitting a node is subject to rounding, which the steps of an empirical density turn into a jump.
            near = np.isclose(density, marginals.log_density(values, label).sum(axis=0), atol=1e-6)
            assert near.mean() > (0.95 if marginal == "empirical" else 0.999)
            np.testing.assert_allclose(scores, marginals.to_normal(values, label), atol=1e-6)
