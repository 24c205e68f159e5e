from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation import Sample, Step
from beamforge.simulation.degradations.specimen_edge import SpecimenEdge
from contracts.step import StepContract


class TestSpecimenEdgeContract(StepContract):
    examples: ClassVar[list[Step]] = [SpecimenEdge(), SpecimenEdge(probability=1.0)]


def edged(side: int, **settings: object) -> Sample:
    step = SpecimenEdge(probability=1.0, tilt=0.0, rim=0.0, softness=0.4, inside=0.25, background=0.1, **settings)
    sample = Sample(np.full((1, 40, 40), 2.0, np.float32), np.ones((40, 40), np.uint8))
    return step.apply(sample, {**step.draw(sample, default_rng(1)), "side": side}, default_rng(2))


def test_beyond_the_edge_it_is_dark_and_no_class_but_the_background() -> None:
    top = edged(0)
    np.testing.assert_allclose(top.image[0, :6], 0.2, rtol=1e-3)
    np.testing.assert_allclose(top.image[0, 15:], 2.0, rtol=1e-3)
    np.testing.assert_array_equal(top.labels[:10], 0)
    np.testing.assert_array_equal(top.labels[10:], 1)


@pytest.mark.parametrize(("side", "turned"), [(1, 1), (2, 2), (3, 3)])
def test_sides_are_turns_of_one_another(side: int, turned: int) -> None:
    np.testing.assert_allclose(edged(side).image[0], np.rot90(edged(0).image[0], turned), rtol=1e-6)
    np.testing.assert_array_equal(edged(side).labels, np.rot90(edged(0).labels, turned))


def test_it_is_seen_as_often_as_told() -> None:
    step = SpecimenEdge(probability=0.2)
    seen = np.mean([step.draw(Sample.empty(), default_rng(seed))["seen"] for seed in range(500)])
    assert abs(seen - 0.2) < 4 * np.sqrt(0.2 * 0.8 / 500)


def test_ignored_pixels_stay_ignored() -> None:
    step = SpecimenEdge(probability=1.0, inside=0.5)
    sample = Sample(np.ones((1, 20, 20), np.float32), np.full((20, 20), 255, np.uint8))
    after = step.apply(sample, {**step.draw(sample, default_rng(1)), "side": 0}, default_rng(2))
    np.testing.assert_array_equal(after.labels, 255)
