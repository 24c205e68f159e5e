"""What every step must do that moves pixels; a test of one inherits `MovingContract` beside setting examples."""

from __future__ import annotations

import numpy as np
from numpy.random import default_rng

from beamforge.simulation import Sample, Step
from contracts.step import StepContract


class MovingContract(StepContract):
    """Labels and whatever else has a value for each pixel go where the image goes."""

    def test_declares_that_it_moves_labels(self, example: Step) -> None:
        assert example.changes_labels

    def test_labels_and_extras_go_where_the_image_goes(self, example: Step) -> None:
        """Blocks 12 px wide, so that cubic interpolation cannot blur them into one another."""
        labels = default_rng(1).integers(0, 4, (5, 5)).repeat(12, 0).repeat(12, 1).astype(np.uint8)
        extras = {"grains": labels.astype(np.int32) + 7, "height": labels.astype(np.float64), "table": np.ones((2, 3))}
        sample = Sample(labels[None].astype(np.float32), labels, extras=extras)
        for seed in range(6):
            after = example.apply(sample, example.draw(sample, default_rng(seed)), default_rng(0))
            near = np.abs(after.image[0] - after.labels) < 0.5
            assert near.mean() > 0.95
            assert set(np.unique(after.labels)) <= set(np.unique(labels))
            np.testing.assert_array_equal(after.extras["grains"], after.labels.astype(np.int32) + 7)
            assert after.extras["grains"].dtype == np.int32
            np.testing.assert_allclose(after.extras["height"], after.image[0], atol=1e-5)
            np.testing.assert_array_equal(after.extras["table"], np.ones((2, 3)))

    def test_a_pixel_that_is_not_finite_spoils_no_others(self, example: Step) -> None:
        image = default_rng(2).normal(5, 0.1, (1, 40, 40)).astype(np.float32)
        image[0, 11:14, 20:23] = np.nan
        sample = Sample(image, np.zeros((40, 40), np.uint8))
        after = example.apply(sample, example.draw(sample, default_rng(3)), default_rng(0))
        invalid = ~np.isfinite(after.image)
        assert 4 <= invalid.sum() <= 25
        assert np.abs(after.image[~invalid] - 5).max() < 2
