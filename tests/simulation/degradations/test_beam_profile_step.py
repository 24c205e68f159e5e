"""The beam's profile, and what is left of it after division by an open beam."""

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.degradations.beam_profile import BeamProfile
from contracts.step import StepContract

EVEN = Sample(image=np.ones((2, 60, 80), np.float32), labels=np.zeros((60, 80), np.uint8))


class TestBeamProfileContract(StepContract):
    examples = [BeamProfile(), BeamProfile(normalised=True)]


def test_half_a_field_away_it_has_fallen_by_what_was_drawn() -> None:
    step = BeamProfile(centre=(0.5, 0.5))
    image = step.apply(EVEN, {"fall": 0.3, "centre": 0.5, "moved": 0.0}, default_rng(1)).image
    assert image.max() == 1.0
    assert image[0, 30, 0] == pytest.approx(0.7, abs=0.01)
    np.testing.assert_array_equal(image[0], image[1])


def test_a_beam_that_did_not_move_divides_out() -> None:
    step = BeamProfile(normalised=True)
    image = step.apply(EVEN, {"fall": 0.3, "centre": 0.4, "moved": 0.0}, default_rng(1)).image
    np.testing.assert_allclose(image, 1.0, rtol=1e-6)


def test_a_beam_that_moved_leaves_a_slope() -> None:
    step = BeamProfile(normalised=True)
    image = step.apply(EVEN, {"fall": 0.3, "centre": 0.4, "moved": 0.05}, default_rng(1)).image[0]
    logarithm = np.log(image.astype(np.float64))
    # The quotient of two Gaussians of one width is an exponential of a plane.
    assert np.abs(np.diff(logarithm, 2, axis=0)).max() < 1e-6
    assert np.ptp(logarithm) > 0.005
