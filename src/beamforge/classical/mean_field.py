"""Smoothing of class probabilities by the mean field of a Potts model.

Every pixel prefers the classes of its surroundings: the energy of a label image is its negative log-likelihood minus
`strength` times the weighted share of neighbours of the same class. The mean-field distribution is found by passing
messages, each round of which is one convolution of the class probabilities (Krähenbühl & Koltun 2011, arXiv:1210.5644,
with the spatial kernel alone).
"""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat, PositiveInt
from scipy.ndimage import correlate1d

from beamforge.arrays import Float32, Float64

_REACH = 3.0  # standard deviations after which the kernel is cut


class MeanField(BaseModel):
    """A Potts prior and how far its mean field is iterated.

    Attributes
    ----------
    strength
        Log-odds that a surrounding of a single class gives to that class.
    sigma_px
        Standard deviation in px of the Gaussian weights of the neighbours.
    iterations
        Rounds of messages.
    temperature
        Divides the log-likelihood of every pixel. Where noise is correlated, a neighbour repeats much of what a pixel
        says; the temperature is how many pixels say as much as one alone would.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    strength: NonNegativeFloat = 4.0
    sigma_px: PositiveFloat = 2.0
    iterations: PositiveInt = 5
    temperature: PositiveFloat = 1.0

    @property
    def radius(self) -> int:
        """How far in px one round of messages reaches."""
        return max(1, round(_REACH * self.sigma_px))

    @property
    def halo(self) -> int:
        """How far in px all rounds together reach."""
        return self.iterations * self.radius

    def __call__(self, log_likelihoods: Float64) -> Float32:
        """Give the log-probabilities of the mean field.

        Parameters
        ----------
        log_likelihoods
            (class, y, x), finite, up to a constant for each pixel; a pixel of equal ones is decided by its neighbours.

        Returns
        -------
        float32 (class, y, x), normalised.
        """
        own = (log_likelihoods - log_likelihoods.max(axis=0)) / self.temperature
        unary = own.astype(np.float32)
        kernel = self._kernel()
        # A pixel is no neighbour of itself, and beyond the image there is nobody.
        centre = kernel[self.radius] ** 2
        around = _convolved(np.ones((1, *unary.shape[1:]), np.float32), kernel) - centre
        gain = np.divide(np.float32(self.strength), around, out=np.zeros_like(around), where=around > 1e-6)
        field = log_softmax(unary)
        for _ in range(self.iterations):
            probabilities = np.exp(field)
            neighbours = _convolved(probabilities, kernel) - centre * probabilities
            field = log_softmax(unary + gain * neighbours)
        return field

    def _kernel(self) -> Float32:
        """Give the weights along one axis."""
        distance = np.arange(-self.radius, self.radius + 1)
        weights = np.exp(-0.5 * (distance / self.sigma_px) ** 2)
        kernel: Float32 = (weights / weights.sum()).astype(np.float32)
        return kernel


def log_softmax(scores: Float32) -> Float32:
    """Normalise log-probabilities over the first axis."""
    shifted = scores - scores.max(axis=0)
    normalised: Float32 = shifted - np.log(np.exp(shifted).sum(axis=0))
    return normalised


def _convolved(images: Float32, kernel: Float32) -> Float32:
    """Convolve (class, y, x) along y and x, with nothing beyond the border."""
    along_y = correlate1d(images, kernel, axis=1, mode="constant")
    along_x: Float32 = correlate1d(along_y, kernel, axis=2, mode="constant")
    return along_x
