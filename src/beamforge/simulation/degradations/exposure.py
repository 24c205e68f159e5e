"""Another exposure time than that of the measurement the simulation was learnt from."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator
from pydantic import PositiveFloat
from scipy.ndimage import find_objects, gaussian_filter

from beamforge.arrays import Float32, Integers
from beamforge.simulation.interval import LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class Exposure(Degradation, name="exposure"):
    """Scales the noise as another exposure time does: counting noise falls with the square root of the time.

    Noise is what differs from the local mean of the pixel's own class, so that neither edges nor slow drifts, which do
    not depend on the time, are changed; it keeps the correlation it was measured with.

    Attributes
    ----------
    factor
        Exposure time over that of the measurement.
    window
        Standard deviation in px of the Gaussian that takes the local mean.
    """

    factor: LogInterval = LogInterval(low=0.25, high=4.0)
    window: PositiveFloat = 6.0

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Scale what differs from the local mean."""
        mean = local_class_mean(sample.image, sample.labels, self.window)
        scale = np.float32(1.0 / math.sqrt(parameters["factor"]))
        return sample.replace(image=mean + scale * (sample.image - mean))


def local_class_mean(image: Float32, labels: Integers, window: float) -> Float32:
    """Average around each pixel over pixels of its own class.

    Parameters
    ----------
    image
        (channel, y, x).
    labels
        (y, x), any numbers.
    window
        Standard deviation of the Gaussian weight in px.
    """
    mean = np.empty_like(image)
    reach = math.ceil(4.0 * window)
    for number, box in enumerate(find_objects(labels.astype(np.int64) + 1)):
        if box is None:
            continue
        near = tuple(slice(max(0, side.start - reach), side.stop + reach) for side in box)
        inside = labels[near] == number
        weight = gaussian_filter(inside.astype(np.float32), window, mode="constant")
        masked = np.where(inside, image[:, near[0], near[1]], np.float32(0.0))
        total = gaussian_filter(masked, window, axes=(1, 2), mode="constant")
        # A pixel of the class weighs itself, so the weight is above 0 wherever it is read.
        mean[:, near[0], near[1]][:, inside] = total[:, inside] / weight[inside]
    return mean
