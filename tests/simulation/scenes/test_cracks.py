from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from numpy.random import default_rng
from pydantic import ValidationError
from scipy.ndimage import label

from beamforge.errors import InputError
from beamforge.simulation import Sample, Step
from beamforge.simulation.interval import MeasuredInterval
from beamforge.simulation.scenarios.cracks import cracks, measured_cracks
from beamforge.simulation.scenes.cracks import Cracks
from beamforge.stack import Classes, as_labels, as_stack
from contracts.step import StepContract


class TestCracksContract(StepContract):
    examples: ClassVar[list[Step]] = [Cracks(), measured_cracks(tile=64, probability=1.0)]

    def sample(self) -> Sample:
        return Sample.empty()


def drawn(step: Cracks, seed: int) -> Sample:
    parameters = step.draw(Sample.empty(), default_rng(seed))
    return step.apply(Sample.empty(), parameters, default_rng(seed + 1)).replace(parameters=parameters)


def test_a_tile_has_a_crack_as_often_as_told_and_then_shows_it() -> None:
    samples = [drawn(measured_cracks(tile=64, probability=0.3), seed) for seed in range(400)]
    present = np.array([sample.parameters["present"] for sample in samples])
    shown = np.array([bool(sample.labels.any()) for sample in samples])
    np.testing.assert_array_equal(present, shown)
    assert abs(present.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 400)


def test_probabilities_of_0_and_1() -> None:
    assert not any(drawn(Cracks(tile=32, probability=0.0), seed).labels.any() for seed in range(20))
    assert all(drawn(Cracks(tile=32, probability=1.0), seed).labels.any() for seed in range(20))


def test_the_mask_is_as_wide_as_opening_and_margin() -> None:
    straight = Cracks(
        tile=96,
        probability=1.0,
        cracks=(1, 1),
        segments=1.0,
        segment_length=300.0,
        turning=0.0,
        direction=0.0,
        bend=0.0,
        opening=5.0,
        margin=1.5,
        jaggedness=0.0,
        taper=1.0,
        unevenness=0.0,
        place_y=0.5,
    )
    for seed in range(5):
        widths = drawn(straight, seed).labels.sum(axis=1)
        assert abs(np.median(widths[widths > 0]) - 8.0) <= 1.0


def test_cracks_hang_together_and_leave_their_distance() -> None:
    one = Cracks(tile=80, probability=1.0, cracks=(1, 1), margin=0.5)
    for seed in range(20):
        sample = drawn(one, seed)
        assert label(sample.labels, np.ones((3, 3)))[1] <= 2
        distance, opening = sample.extras["crack_distance"], sample.extras["crack_opening"]
        assert distance.dtype == opening.dtype == np.float32
        assert (distance[sample.labels == 1] <= opening[sample.labels == 1] / 2 + 1.7).all()


def test_fitting_finds_what_was_drawn() -> None:
    """Cracks of known opening and direction, simulated as images and annotated, are measured again."""
    scene = Cracks(
        tile=160,
        probability=1.0,
        cracks=(1, 1),
        segments=[3.0, 5.0],
        segment_length=[25.0, 30.0],
        direction=[10.0, 20.0],
        opening=4.0,
        margin=1.0,
        taper=1.0,
        unevenness=0.0,
        place_y=(0.4, 0.6),
        place_x=(0.4, 0.6),
    )
    samples = [cracks(scene=scene)(3, index) for index in range(24)]
    classes = Classes(names=("free", "crack"))
    found = Cracks.fit([as_stack(s.image) for s in samples], [as_labels(s.labels, classes) for s in samples], tile=64)
    assert found.tile == 64
    assert np.median(found.opening.quantiles) == pytest.approx(4.0, abs=0.6)
    assert np.median(found.margin.quantiles) == pytest.approx(1.0, abs=0.5)
    assert 8.0 < np.median(found.direction.quantiles) < 24.0


def test_fitting_without_a_crack_says_so() -> None:
    image = as_stack(np.ones((40, 40), np.float32))
    with pytest.raises(InputError, match="class 1 is missing"):
        Cracks.fit(image, as_labels(np.zeros((40, 40), np.uint8), Classes(names=("free", "crack"))))


def test_settings_that_make_no_crack_are_refused() -> None:
    for wrong in ({"cracks": (0, 2)}, {"opening": [0.0, 2.0]}, {"segment_length": [-1.0, 2.0]}, {"probability": 1.5}):
        with pytest.raises(ValidationError):
            Cracks(**wrong)


def test_varying_keeps_the_class() -> None:
    scenario = cracks(tile=64)
    rng = default_rng(5)
    for index in range(20):
        sample = scenario(1, index)
        varied = scenario.replay(scenario.vary(sample.parameters, rng, 0.3), seed=9)
        assert varied.parameters["draws"]["cracks"]["present"] == sample.parameters["draws"]["cracks"]["present"]
        assert varied.image.shape == sample.image.shape


def test_quantiles_are_written_as_a_list() -> None:
    step = Cracks(opening=[1.0, 2.0, 8.0])
    assert step.to_dict()["opening"] == [1.0, 2.0, 8.0]
    assert step.opening == MeasuredInterval.model_validate([1.0, 2.0, 8.0])
