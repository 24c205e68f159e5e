"""Unsharp masking: edges are made steeper by what blurring takes away."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy.ndimage import gaussian_filter

from beamforge.arrays import Float32
from beamforge.simulation.interval import Interval
from beamforge.simulation.planes import filter_planes
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class UnsharpMask(Degradation, name="unsharp_mask"):
    """Adds to each channel `amount` times its difference from its Gaussian blur.

    Attributes
    ----------
    radius
        Standard deviation of the Gaussian in px.
    amount
        Factor of the difference.
    """

    radius: Interval = Interval(low=1.5, high=1.5)
    amount: Interval = Interval(low=1.0, high=1.0)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Filter."""
        amount = np.float32(parameters["amount"])

        def filtered(plane: Float32, _: int) -> Float32:
            blurred: Float32 = gaussian_filter(plane, parameters["radius"], mode="nearest")
            return plane + amount * (plane - blurred)

        return sample.replace(image=filter_planes(sample.image, filtered))
