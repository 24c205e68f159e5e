"""Projections as the spot network sees them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.random import Generator
from pydantic import Field, field_validator
from scipy.ndimage import maximum_filter

from beamforge.errors import InputError
from beamforge.reduction.projections import WINDOW, contrast, median_over, noise_of
from beamforge.simulation.degradations.diffraction_background import BACKGROUND, CLEAN
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation
from beamforge.stack import IGNORE

SPOTS = "spots"
"""Extra that holds the number of the spot (y, x) of each pixel, from 1; 0 is none."""
NOISE = "noise"
"""Extra that holds the standard deviation of the noise (y, x) of one projection."""


class ProjectionContrast(Degradation, name="projection_contrast"):
    """Subtracts the background as a rolling median estimates it and divides by the noise.

    The median is over the projection itself and as many others of the same noise as the window has: where they leave it
    in the middle the difference is 0, and it has a longer tail than noise has. Spots that pass are hardly felt.
    Where it is known which pixels are spots, those of a spot whose mean contrast is below `visible` become background,
    and those between `visible` and `sure` are ignored. Between spots that touch a line one pixel wide becomes
    background, so that every region of the labels is one spot; it is cut from the spot of the lower number.

    Attributes
    ----------
    window
        Projections of the rolling median, odd.
    visible, sure
        Mean contrast of a spot in standard deviations of the noise of a pixel.
    divided
        Whether there is a line between spots that touch.
    """

    changes_labels: ClassVar[bool] = True

    window: int = Field(default=WINDOW, ge=3)
    visible: float = Field(default=0.5, ge=0.0)
    sure: float = Field(default=0.7, ge=0.0)
    divided: bool = True

    @field_validator("window")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"the median is over {value} projections, expected an odd number")
        return value

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Make the contrast.

        Raises
        ------
        InputError
            If the background is not known.
        """
        if BACKGROUND not in sample.extras:
            raise InputError("the step 'projection_contrast' needs a background; put it after 'diffraction_background'")
        difference = sample.image[0] - sample.extras[BACKGROUND]
        noise = noise_of(difference)
        projections = noise * rng.standard_normal((self.window, *noise.shape), dtype=np.float32)
        projections[0] = difference
        seen = difference - median_over(projections)
        extras = {**sample.extras, NOISE: noise}
        changed = sample.replace(image=contrast(seen)[None], extras=extras)
        if SPOTS not in sample.extras:
            return changed
        return changed.replace(labels=self._labels(sample, noise))

    def _labels(self, sample: Sample, noise: np.ndarray) -> np.ndarray:
        numbers = sample.extras[SPOTS]
        means = spot_contrasts(sample.extras[CLEAN], numbers, noise)
        labels = sample.labels.copy()
        of_pixel = means[numbers]
        labels[(numbers > 0) & (of_pixel < self.visible)] = 0
        labels[(numbers > 0) & (of_pixel >= self.visible) & (of_pixel < self.sure)] = IGNORE
        left = np.where(of_pixel < self.visible, 0, numbers)
        if self.divided:
            labels[(left > 0) & (maximum_filter(left, 3, mode="nearest") > left)] = 0
        return labels


def spot_contrasts(clean: np.ndarray, numbers: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Give the mean of clean / noise over the pixels of each spot (spot + 1,); 0 for number 0 and for no pixel.

    This is what is called a spot's signal-to-noise ratio here.
    """
    pixels = np.bincount(numbers.ravel())
    sums = np.bincount(numbers.ravel(), weights=(clean / noise).ravel().astype(np.float64))
    means = np.where(pixels > 0, sums / np.maximum(pixels, 1), 0.0)
    means[0] = 0.0
    return np.asarray(means)
