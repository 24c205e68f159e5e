import numpy as np
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.degradations.local_contrast import LocalContrast
from beamforge.statistics.local_noise import NoiseModel, local_contrast
from contracts.step import StepContract


class TestLocalContrastContract(StepContract):
    examples = [LocalContrast()]


def test_bright_values_are_compressed_but_keep_their_order() -> None:
    image = default_rng(0).normal(1000.0, 20.0, (1, 60, 60)).astype(np.float32)
    image[0, 30, 10:50:10] += [100.0, 1000.0, 10000.0, 100000.0]
    before = Sample(image=image, labels=np.zeros((60, 60), np.uint8))
    after = LocalContrast().apply(before, {}, default_rng(0)).image[0]
    contrast = local_contrast(image[0], NoiseModel.fit(image))
    order = np.argsort(contrast, axis=None)
    assert (np.diff(after.ravel()[order]) >= 0).all()
    assert after.max() < 10.0
    assert 0.7 < after.std() / np.arcsinh(contrast / 2).std() < 1.0
