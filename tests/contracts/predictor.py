"""What every predictor must do; a test file for one inherits `PredictorContract` and names one or more examples."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.predictor import Predictor


class PredictorContract:
    """Inherit and set `examples`.

    Override `typical` if the predictor needs images of its own kind, `tolerance` where the order of sums depends on
    the size of the batch, and `reload` if it is not saved by ``save(path)`` and loaded by ``load(path)``.
    """

    examples: ClassVar[list[Any]] = []
    tolerance: ClassVar[float] = 0.0
    """Largest difference in log-probability that the batch or the place in the image may make."""

    def typical(self, predictor: Predictor, count: int = 3, cells: tuple[int, int] = (2, 3)) -> np.ndarray:
        """Images of the intensities the predictor was made for, whose sides it takes."""
        height, width = (max(16, predictor.multiple) * number for number in cells)
        shape = (count, len(predictor.channels), -(-height // predictor.multiple) * predictor.multiple)
        return (
            default_rng(7)
            .normal(1.0, 0.5, (*shape, -(-width // predictor.multiple) * predictor.multiple))
            .astype(np.float32)
        )

    def reload(self, predictor: Any, folder: Any) -> Predictor:
        predictor.save(folder / "predictor")
        return type(predictor).load(folder / "predictor")

    def test_is_a_predictor(self, example: Any) -> None:
        assert isinstance(example, Predictor)
        assert example.halo >= 0
        assert example.multiple >= 1
        assert len(example.channels) >= 1
        assert len(example.classes) >= 1

    def test_log_probabilities_are_normalised(self, example: Any) -> None:
        images = self.typical(example)
        found = example.log_probabilities(images)
        assert found.dtype == np.float32
        assert found.shape == (len(images), len(example.classes), *images.shape[2:])
        assert np.isfinite(found).all()
        np.testing.assert_allclose(np.exp(found.astype(np.float64)).sum(axis=1), 1, atol=1e-4)

    def test_any_intensity_has_an_answer(self, example: Any) -> None:
        images = self.typical(example)
        images[0, :, 2, 3] = np.nan
        images[0, 0, 4:6] = np.nan
        images[0, -1, 7, 7] = np.inf
        images[1, :, 1, 1] = 1e6
        images[1, :, 1, 3] = -1e6
        images[2] = np.nan
        found = example.log_probabilities(images)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(np.exp(found.astype(np.float64)).sum(axis=1), 1, atol=1e-4)

    def test_same_images_same_answer(self, example: Any) -> None:
        images = self.typical(example)
        before = images.copy()
        first, second = example.log_probabilities(images), example.log_probabilities(images)
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(images, before)

    def test_images_of_a_batch_do_not_see_each_other(self, example: Any) -> None:
        images = self.typical(example)
        together = example.log_probabilities(images)
        for number, image in enumerate(images):
            alone = example.log_probabilities(image[None])[0]
            np.testing.assert_allclose(alone, together[number], atol=self.tolerance, rtol=0)

    def test_nothing_beyond_the_halo_matters(self, example: Any) -> None:
        step = example.multiple
        halo = -(-example.halo // step) * step
        inner = max(8, step)
        side = -(-(2 * halo + inner + 8) // step) * step
        if side > 512:
            pytest.skip(f"a halo of {halo} px needs an image too large for a test")
        images = self.typical(example, 1, (1, 1))
        images = np.tile(images, (1, 1, -(-side // images.shape[2]), -(-side // images.shape[3])))[..., :side, :side]
        whole = example.log_probabilities(images)
        cut = 2 * halo + inner
        part = example.log_probabilities(np.ascontiguousarray(images[..., :cut, :cut]))
        # The cut image ends a halo behind the inner pixels; at top and left both end alike.
        kept = np.s_[..., : halo + inner, : halo + inner]
        np.testing.assert_allclose(part[kept], whole[kept], atol=max(self.tolerance, 1e-3), rtol=1e-3)

    def test_round_trip_through_files(self, example: Any, tmp_path: Any) -> None:
        again = self.reload(example, tmp_path)
        assert again.classes == example.classes
        assert again.channels == example.channels
        assert (again.halo, again.multiple) == (example.halo, example.multiple)
        images = self.typical(example)
        np.testing.assert_array_equal(again.log_probabilities(images), example.log_probabilities(images))
