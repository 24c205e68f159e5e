from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.random import default_rng

from beamforge.simulation import Sample, Step
from beamforge.simulation.degradations.digitise import Digitise
from contracts.step import StepContract


class TestDigitiseContract(StepContract):
    examples: ClassVar[list[Step]] = [Digitise(), Digitise(bits=12)]


def test_levels_are_those_of_the_integers_of_so_many_bits() -> None:
    values = np.linspace(-0.2, 1.2, 2500, dtype=np.float32).reshape(1, 50, 50)
    sample = Sample(values, np.zeros((50, 50), np.uint8))
    image = Digitise(bits=8).apply(sample, {}, default_rng(0)).image
    stored = np.rint(image * 255)
    np.testing.assert_array_equal(image, (stored.astype(np.uint8) / np.float32(255)).astype(np.float32))
    assert image.min() == 0.0
    assert image.max() == 1.0
    inside = (values >= 0) & (values <= 1)
    assert np.abs(image - values)[inside].max() <= 0.5 / 255 + 1e-7
