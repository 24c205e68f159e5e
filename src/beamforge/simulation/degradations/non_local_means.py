"""Non-local means: noise is averaged out over places that look alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from pydantic import PositiveInt
from scipy.ndimage import convolve

from beamforge.arrays import Float32
from beamforge.simulation.interval import Interval
from beamforge.simulation.planes import filter_planes
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class NonLocalMeans(Degradation, name="non_local_means"):
    """Averages pixels whose surroundings are alike, each channel by itself.

    Source: Buades et al. 2005; scikit-image's implementation, with the noise estimated by `noise_deviation`.

    Attributes
    ----------
    strength
        Cut-off of likeness in standard deviations of the noise.
    patch
        Side in px of the surroundings that are compared.
    reach
        How far away in px alike places are looked for.
    """

    strength: Interval = Interval(low=0.8, high=0.8)
    patch: PositiveInt = 5
    reach: PositiveInt = 6

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Filter."""
        import skimage.restoration as _restoration

        restoration: Any = _restoration  # untyped

        def filtered(plane: Float32, _: int) -> Float32:
            sigma = noise_deviation(plane)
            found = restoration.denoise_nl_means(
                plane,
                patch_size=self.patch,
                patch_distance=self.reach,
                h=max(parameters["strength"] * sigma, 1e-12),
                sigma=sigma,
                fast_mode=True,
                preserve_range=True,
            )
            return np.asarray(found, dtype=np.float32)

        return sample.replace(image=filter_planes(sample.image, filtered))


def noise_deviation(plane: Float32) -> float:
    """Estimate the standard deviation of white noise in an image (y, x).

    Source: Immerkær 1996, doi:10.1006/cviu.1996.0060: a mask that lets no plane and no edge along the axes through; the
    median of its absolute values in place of their mean, so that texture counts less.
    """
    mask = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])
    found = convolve(plane.astype(np.float64), mask, mode="nearest")
    # Six times the deviation of the noise, whose absolute values have the median 0.6745 of theirs.
    return float(np.median(np.abs(found)) / (6.0 * 0.6745))
