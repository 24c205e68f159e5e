import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy.special import log_softmax

from beamforge.errors import InputError
from beamforge.learning.losses import LOSSES

NAMES = ["cross_entropy", "cross_entropy_dice", "dice"]


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


BY_HAND = {
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
    assert LOSSES.names() == NAMES
    with pytest.raises(InputError, match="did you mean 'dice'"):
        LOSSES["dise"]


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32), classes=st.integers(1, 9), ignored=st.sampled_from([0.0, 0.4, 0.95, 1.0]))
@settings(max_examples=40, deadline=None)
def test_equals_the_formula(name: str, seed: int, classes: int, ignored: float) -> None:
    logits, labels = example(seed, classes, ignored)
    expected = BY_HAND[name](logits.numpy(), labels.numpy())
    assert float(LOSSES[name](logits, labels)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


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
