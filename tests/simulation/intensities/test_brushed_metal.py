from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation import Sample, Step
from beamforge.simulation.intensities.brushed_metal import BrushedMetal, streak_field
from contracts.step import StepContract, example_sample


class TestBrushedMetalContract(StepContract):
    examples: ClassVar[list[Step]] = [BrushedMetal(), BrushedMetal(sparks=0.0, shading=0.0)]

    def sample(self) -> Sample:
        labels = example_sample().labels
        return Sample(np.zeros((0, *labels.shape), np.float32), labels)


def test_streaks_have_unit_variance_and_their_lengths() -> None:
    field = streak_field((400, 4000), 20.0, 1.0, default_rng(1))
    assert field.std() == pytest.approx(1.0, rel=0.02)
    # White noise smoothed by a Gaussian of sigma correlates as exp(-d^2 / (4 sigma^2)).
    along = (field[:-20] * field[20:]).mean()
    across = (field[:, :-2] * field[:, 2:]).mean()
    assert along == pytest.approx(np.exp(-0.25), abs=0.03)
    assert across == pytest.approx(np.exp(-1.0), abs=0.03)


def test_mean_and_contrast_are_as_told() -> None:
    step = BrushedMetal(
        level=0.4, contrast=0.1, shading=0.0, sparks=0.0, streak_length=10.0, grain=0.5, streak_share=0.5
    )
    sample = Sample(np.zeros((0, 600, 600), np.float32), np.zeros((600, 600), np.uint8))
    image = step.apply(sample, step.draw(sample, default_rng(1)), default_rng(2)).image
    assert image.shape == (1, 600, 600)
    assert image.mean() == pytest.approx(0.4, rel=0.02)
    assert np.log(image).std() == pytest.approx(0.1, rel=0.05)


def test_sparks_are_bright_and_upright() -> None:
    plain, sparkling = (
        BrushedMetal(contrast=0.1, shading=0.0, sparks=sparks, spark_height=2.5, level=0.4) for sparks in (0.0, 12.0)
    )
    sample = Sample(np.zeros((0, 200, 200), np.float32), np.zeros((200, 200), np.uint8))
    parameters = plain.draw(sample, default_rng(3))
    image = [
        step.apply(sample, {**parameters, "sparks": sparks, "spark_height": 2.5}, default_rng(4)).image[0]
        for step, sparks in ((plain, 0.0), (sparkling, 12.0))
    ]
    # Without sparks the random stream of the shading is the same up to their drawing; shading is off.
    assert image[1].max() > image[0].max()
    assert image[1].mean() > image[0].mean()
