import numpy as np
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.degradations.recolouring import Recolouring
from contracts.step import StepContract


class TestRecolouringContract(StepContract):
    examples = [Recolouring(), Recolouring(inversion=1.0)]


def after(seed=1, channels=3, **settings):
    before = Sample(default_rng(0).random((channels, 20, 24), np.float32), np.zeros((20, 24), np.uint8))
    step = Recolouring(**settings)
    return before.image, step.apply(before, step.draw(before, default_rng(seed)), default_rng(seed)).image


def test_strength_zero_keeps_the_image_and_inversion_mirrors_it_at_its_mean():
    before, same = after(strength=0.0, shift=0.0, inversion=0.0)
    np.testing.assert_allclose(same, before, atol=1e-6)
    before, mirrored = after(strength=0.0, shift=0.0, inversion=1.0)
    mean = before.mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(mirrored, 2 * mean - before, atol=1e-5)


def test_a_mixture_is_linear_and_keeps_the_mean():
    before, mixed = after(strength=0.4, shift=0.0)
    np.testing.assert_allclose(mixed.mean(axis=(1, 2)), before.mean(axis=(1, 2)), atol=1e-5)
    flat = before.reshape(3, -1) - before.reshape(3, -1).mean(axis=1, keepdims=True)
    target = mixed.reshape(3, -1) - mixed.reshape(3, -1).mean(axis=1, keepdims=True)
    matrix, residual, *_ = np.linalg.lstsq(flat.T, target.T, rcond=None)
    assert residual.max() < 1e-6
    assert np.abs(matrix - np.eye(3)).max() > 0.05


def test_one_image_in_five_is_inverted_by_default():
    step = Recolouring()
    empty = Sample.empty()
    share = np.mean([step.draw(empty, default_rng(seed))["inverted"] for seed in range(2000)])
    assert abs(share - 0.2) < 0.03
