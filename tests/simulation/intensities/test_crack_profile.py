from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from numpy.random import default_rng
from pydantic import ValidationError

from beamforge.errors import InputError
from beamforge.simulation import Sample, Step
from beamforge.simulation.cracks.polyline import Polyline, distance_and_opening
from beamforge.simulation.intensities.crack_profile import CrackProfile
from beamforge.stack import Classes, as_labels, as_stack
from contracts.step import StepContract


def cracked(opening: float = 4.0, level: float = 0.5) -> Sample:
    line = Polyline(np.array([[-20.0, 30.0], [100.0, 30.0]]), np.array([opening, opening]))
    distance, width = distance_and_opening([line], (60, 60), 14.0)
    labels = (distance <= opening / 2).astype(np.uint8)
    extras = {"crack_distance": distance, "crack_opening": width}
    return Sample(np.full((2, 60, 60), level, np.float32), labels, extras=extras)


class TestCrackProfileContract(StepContract):
    examples: ClassVar[list[Step]] = [CrackProfile(), CrackProfile(depth=[-0.4, -0.1], unevenness=0.0)]

    def sample(self) -> Sample:
        return cracked()


def applied(step: CrackProfile, sample: Sample) -> np.ndarray:
    return step.apply(sample, step.draw(sample, default_rng(0)), default_rng(1)).image


def test_the_profile_is_as_deep_and_as_wide_as_told() -> None:
    image = applied(CrackProfile(depth=0.4, unevenness=0.0), cracked(opening=4.0))
    # Axis, half opening, a whole opening; the default shape is a Gaussian: 1, 1/2, 1/16.
    expected = 0.5 * (1 - 0.4 * np.array([1, 0.5, 0.0625]))
    np.testing.assert_allclose(image[:, 20, [30, 32, 34]], [expected, expected], rtol=1e-3)
    np.testing.assert_array_equal(image[:, :, :15], 0.5)


def test_openings_below_a_pixel_fade_instead_of_vanishing() -> None:
    whole, half = (applied(CrackProfile(depth=0.4, unevenness=0.0), cracked(opening)) for opening in (1.0, 0.5))
    np.testing.assert_allclose((0.5 - half) * 2.0, 0.5 - whole, atol=1e-6)


def test_fitting_recovers_depth_and_shape() -> None:
    step = CrackProfile(depth=0.45, unevenness=0.0)
    sample = cracked(opening=4.0)
    image = applied(step, sample)[:1]
    found = CrackProfile.fit(as_stack(image), as_labels(sample.labels, Classes(names=("free", "crack"))))
    assert np.median(found.depth.quantiles) == pytest.approx(0.45, rel=0.08)
    np.testing.assert_allclose(found.shape[:8], step.shape[:8], atol=0.08)


def test_without_cracks_nothing_changes_and_without_a_scene_it_says_so() -> None:
    sample = cracked()
    none = sample.replace(extras={**sample.extras, "crack_distance": np.full((60, 60), 1e4, np.float32)})
    np.testing.assert_array_equal(applied(CrackProfile(), none), none.image)
    with pytest.raises(InputError, match="needs the scene 'cracks'"):
        applied(CrackProfile(), sample.replace(extras={}))


def test_shapes_and_depths_that_mean_nothing_are_refused() -> None:
    for wrong in ({"shape": (1.0, 0.5)}, {"shape": (0.5,) * 17}, {"depth": [0.5, 1.2]}):
        with pytest.raises(ValidationError):
            CrackProfile(**wrong)
