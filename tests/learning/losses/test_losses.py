import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy.special import log_softmax

from beamforge.errors import InputError
from beamforge.learning.losses import LOSSES, create_loss

NAMES = [
    "boundary", "cross_entropy", "cross_entropy_dice", "dice", "focal", "mean_squared_error", "tversky", "weighted_sum",
]  # fmt: skip


def cross_entropy_by_hand(logits: np.ndarray, labels: np.ndarray) -> float:
    terms = [
        -log_softmax(logits[b, :, y, x])[labels[b, y, x]]
        for b, y, x in np.ndindex(labels.shape)
        if labels[b, y, x] < 255
    ]
    return float(np.mean(terms)) if terms else 0.0


def dice_by_hand(logits: np.ndarray, labels: np.ndarray) -> float:
    p = np.exp(log_softmax(logits, axis=1)).transpose(1, 0, 2, 3)[:, labels < 255]
    truth = labels[labels < 255]
    deficits = [1 - 2 * p[c][truth == c].sum() / (p[c].sum() + (truth == c).sum()) for c in np.unique(truth)]
    return float(np.mean(deficits)) if deficits else 0.0


def focal_by_hand(logits: np.ndarray, labels: np.ndarray, gamma: float = 2.0, weights=None) -> float:
    log_p = log_softmax(logits, axis=1)
    terms = []
    for b, y, x in np.ndindex(labels.shape):
        if labels[b, y, x] < 255:
            term = log_p[b, labels[b, y, x], y, x]
            terms.append(-((1 - np.exp(term)) ** gamma) * term * (1 if weights is None else weights[labels[b, y, x]]))
    return float(np.mean(terms)) if terms else 0.0


def tversky_by_hand(
    logits: np.ndarray, labels: np.ndarray, a: float = 0.3, b: float = 0.7, power: float = 1.0
) -> float:
    p = np.exp(log_softmax(logits, axis=1)).transpose(1, 0, 2, 3)[:, labels < 255]
    truth = labels[labels < 255]
    deficits = []
    for c in np.unique(truth):
        hit, wrong, missed = p[c][truth == c].sum(), p[c][truth != c].sum(), (1 - p[c][truth == c]).sum()
        deficits.append((1 - hit / (hit + a * wrong + b * missed)) ** power)
    return float(np.mean(deficits)) if deficits else 0.0


def signed_distance_by_hand(image: np.ndarray, c: int, y: int, x: int, reach: float) -> float:
    """The nearest pixel of the class, or of another one, found by looking at all of them."""
    inside = image[y, x] == c
    wanted = (image != c) & (image != 255) if inside else image == c
    distances = [np.hypot(y - i, x - j) for i, j in np.argwhere(wanted)]
    nearest = min([reach, *distances])
    return -nearest if inside else nearest


def boundary_by_hand(logits: np.ndarray, labels: np.ndarray, reach: float = 20.0, weight: float = 0.2) -> float:
    p = np.exp(log_softmax(logits, axis=1))
    terms = [
        sum(p[b, c, y, x] * signed_distance_by_hand(labels[b], c, y, x, reach) for c in range(logits.shape[1])) / reach
        for b, y, x in np.ndindex(labels.shape)
        if labels[b, y, x] < 255
    ]
    beside = cross_entropy_by_hand(logits, labels) + dice_by_hand(logits, labels)
    return beside + weight * (float(np.mean(terms)) if terms else 0.0)


def mean_squared_error_by_hand(logits: np.ndarray, labels: np.ndarray, weights=(1.0,) * 9) -> float:
    p = np.exp(log_softmax(logits, axis=1))
    terms = [
        weights[labels[b, y, x]] * ((p[b, :, y, x] - np.eye(p.shape[1])[labels[b, y, x]]) ** 2).sum()
        for b, y, x in np.ndindex(labels.shape)
        if labels[b, y, x] < 255
    ]
    return float(np.mean(terms)) if terms else 0.0


BY_HAND = {
    "mean_squared_error": mean_squared_error_by_hand,
    "weighted_sum": lambda logits, labels: cross_entropy_by_hand(logits, labels) + dice_by_hand(logits, labels),
    "boundary": boundary_by_hand,
    "focal": focal_by_hand,
    "tversky": tversky_by_hand,
    "cross_entropy": cross_entropy_by_hand,
    "dice": dice_by_hand,
    "cross_entropy_dice": lambda logits, labels: cross_entropy_by_hand(logits, labels) + dice_by_hand(logits, labels),
}


def example(seed: int, classes: int, ignored: float) -> tuple[torch.Tensor, torch.Tensor]:
    rng = default_rng(seed)
    labels = rng.integers(0, classes, (2, 5, 4))
    labels[rng.random(labels.shape) < ignored] = 255
    return torch.from_numpy(rng.normal(0, 3, (2, classes, 5, 4))), torch.from_numpy(labels)


def test_all_are_registered() -> None:
    # The content loss looks at pictures through a network and is held to its own laws in test_content.
    assert LOSSES.names() == sorted([*NAMES, "content"])
    with pytest.raises(InputError, match="did you mean 'dice'"):
        LOSSES["dise"]


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32), classes=st.integers(1, 9), ignored=st.sampled_from([0.0, 0.4, 0.95, 1.0]))
@settings(max_examples=40, deadline=None)
def test_equals_the_formula(name: str, seed: int, classes: int, ignored: float) -> None:
    logits, labels = example(seed, classes, ignored)
    expected = BY_HAND[name](logits.numpy(), labels.numpy())
    # The distances of the boundary loss are kept in float32.
    relative = 1e-6 if name == "boundary" else 1e-9
    assert float(LOSSES[name](logits, labels)) == pytest.approx(
        expected, rel=relative, abs=1e-7 if name == "boundary" else 1e-12
    )


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32), ignored=st.sampled_from([0.3, 1.0]))
@settings(max_examples=20, deadline=None)
def test_ignored_pixels_give_exactly_no_gradient(name: str, seed: int, ignored: float) -> None:
    logits, labels = example(seed, 4, ignored)
    logits.requires_grad_()
    LOSSES[name](logits, labels).backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    at_ignored = logits.grad.movedim(1, -1)[labels == 255]
    assert (at_ignored == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_that_of_finite_differences(name: str) -> None:
    logits, labels = example(3, 5, 0.3)
    assert torch.autograd.gradcheck(lambda x: LOSSES[name](x, labels), logits.requires_grad_())


def test_dice_is_zero_for_the_truth_and_one_for_its_opposite() -> None:
    _, labels = example(1, 2, 0.2)
    truth = torch.nn.functional.one_hot(labels.where(labels != 255, 0), 2).movedim(-1, 1).double()
    assert float(LOSSES["dice"](truth * 100, labels)) == pytest.approx(0, abs=1e-12)
    assert float(LOSSES["dice"](-truth * 100, labels)) == pytest.approx(1, abs=1e-12)


@given(seed=st.integers(0, 2**32), ignored=st.sampled_from([0.0, 0.4, 1.0]))
@settings(max_examples=30, deadline=None)
def test_weights_and_options_enter_as_the_formulas_say(seed: int, ignored: float) -> None:
    logits, labels = example(seed, 4, ignored)
    x, y = logits.numpy(), labels.numpy()
    weights = (0.5, 4.0, 1.0, 2.5)
    of_pixel = np.where(y < 255, np.array(weights)[np.where(y < 255, y, 0)], 0.0)
    nll = -np.take_along_axis(log_softmax(x, axis=1), np.where(y < 255, y, 0)[:, None], axis=1)[:, 0]
    expected = (of_pixel * nll).sum() / of_pixel.sum() if of_pixel.any() else 0.0
    assert float(create_loss("cross_entropy", {}, weights)(logits, labels)) == pytest.approx(expected, rel=1e-9)
    expected = focal_by_hand(x, y, 0.7, weights)
    assert float(create_loss("focal", {"gamma": 0.7}, weights)(logits, labels)) == pytest.approx(expected, rel=1e-9)
    options = {"false_positives": 0.9, "false_negatives": 0.2, "power": 0.75}
    expected = tversky_by_hand(x, y, 0.9, 0.2, 0.75)
    assert float(create_loss("tversky", options)(logits, labels)) == pytest.approx(expected, rel=1e-9)
    options = {"reach": 2.5, "weight": 3.0}
    expected = boundary_by_hand(x, y, 2.5, 3.0)
    assert float(create_loss("boundary", options)(logits, labels)) == pytest.approx(expected, rel=1e-6, abs=1e-7)


@given(seed=st.integers(0, 2**32), ignored=st.sampled_from([0.0, 0.4, 1.0]))
@settings(max_examples=20, deadline=None)
def test_a_sum_adds_its_terms_and_weighs_the_classes_of_those_that_can(seed: int, ignored: float) -> None:
    logits, labels = example(seed, 4, ignored)
    x, y, weights = logits.numpy(), labels.numpy(), (0.5, 4.0, 1.0, 2.5)
    loss = create_loss("weighted_sum", {"terms": {"mean_squared_error": 0.5, "dice": 2.0}}, weights)
    expected = 0.5 * mean_squared_error_by_hand(x, y, weights) + 2.0 * dice_by_hand(x, y)
    assert float(loss(logits, labels)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("terms", [{}, {"weighted_sum": 1.0}, {"dise": 1.0}])
def test_a_sum_of_nothing_of_itself_or_of_the_unknown_is_refused(terms: dict[str, float]) -> None:
    logits, labels = example(0, 3, 0.0)
    with pytest.raises(InputError, match=r"weighted_sum|did you mean 'dice'"):
        create_loss("weighted_sum", {"terms": terms})(logits, labels)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_special_cases_are_the_losses_they_generalise(seed: int) -> None:
    logits, labels = example(seed, 3, 0.3)
    even = {"false_positives": 0.5, "false_negatives": 0.5}
    assert float(create_loss("tversky", even)(logits, labels)) == pytest.approx(float(LOSSES["dice"](logits, labels)))
    plain = float(LOSSES["cross_entropy"](logits, labels))
    assert float(create_loss("focal", {"gamma": 0.0})(logits, labels)) == pytest.approx(plain)
    assert float(create_loss("cross_entropy", {}, (2.0, 2.0, 2.0))(logits, labels)) == pytest.approx(plain)


def test_boundary_is_least_for_the_truth_and_grows_with_the_distance_of_an_error() -> None:
    labels = torch.zeros((1, 12, 30), dtype=torch.int64)
    labels[:, :, 10:12] = 1

    def loss_with_false_column(column: int) -> float:
        predicted = labels.clone()
        predicted[:, :, column] = 1
        logits = torch.nn.functional.one_hot(predicted, 2).movedim(-1, 1).double() * 100
        # Apart from the boundary term, an error costs the same wherever it lies.
        return float(create_loss("boundary", {})(logits, labels))

    truth = torch.nn.functional.one_hot(labels, 2).movedim(-1, 1).double() * 100
    costs = [float(create_loss("boundary", {})(truth, labels))]
    costs += [loss_with_false_column(column) for column in (12, 16, 24)]
    assert costs == sorted(costs)
    assert len(set(costs)) == 4


def test_boundary_pulls_a_rare_class_that_is_not_predicted_back() -> None:
    labels = torch.zeros((1, 40, 40), dtype=torch.int64)
    labels[:, 20, 5:35] = 1
    # A network that has learnt only that the class is rare: one bias for every pixel.
    bias = torch.tensor(-8.0, dtype=torch.double, requires_grad=True)
    rare = bias.expand(1, 1, 40, 40)
    LOSSES["boundary"](torch.cat([torch.zeros_like(rare), rare], dim=1), labels).backward()
    assert bias.grad is not None
    assert float(bias.grad) < -0.01


def test_unknown_options_and_weights_for_a_loss_without_are_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'gamma'"):
        create_loss("focal", {"gama": 1.0})
    with pytest.raises(InputError, match="'dice' cannot weigh classes"):
        create_loss("dice", {}, (1.0, 2.0))
