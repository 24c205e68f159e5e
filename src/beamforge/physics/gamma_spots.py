"""White spots: gammas and fast neutrons that hit the camera's chip."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, model_validator
from scipy.special import ndtri

from beamforge.arrays import Float32


@dataclass(frozen=True)
class Tracks:
    """The pixels that spots hit.

    Attributes
    ----------
    rows, columns
        Places (pixel,).
    amplitudes
        What is added there in DN, float32 (pixel,).
    spot
        Number of the spot each belongs to (pixel,).
    count
        Number of spots; one that starts at the border may have all its pixels outside.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    amplitudes: Float32
    spot: NDArray[np.int64]
    count: int


class GammaSpots(BaseModel):
    """How often, how bright and how large white spots are.

    The defaults were measured with the beam on, above 8 sigma of the read-out, on images of the ICON beamline (PSI)
    with a signal of about 1100 DN.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: NonNegativeFloat = 400.0
    """Spots per megapixel and second; 340 to 480 were measured."""
    amplitude_50: PositiveFloat = 600.0
    """Median of the peak in DN."""
    amplitude_90: PositiveFloat = 1800.0
    """Peak in DN that one spot in ten exceeds."""
    amplitude_99: PositiveFloat = 5300.0
    """Peak in DN that one spot in a hundred exceeds."""
    lowest: PositiveFloat | None = None
    """Peak in DN of the weakest spot; None lets the distribution go on below the median, log-normally."""
    size_99: float = Field(default=6.0, ge=1.0)
    """Area in px that one spot in a hundred exceeds; 2 to 10 were measured. Sizes are geometrically distributed."""

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.lowest is not None and not self.lowest < self.amplitude_50:
            raise ValueError(
                f"the weakest spot has {self.lowest:g} DN, expected less than the median of {self.amplitude_50:g} DN"
            )
        if not self.amplitude_50 < self.amplitude_90 < self.amplitude_99:
            raise ValueError(
                f"the amplitudes at 50, 90 and 99 % are {self.amplitude_50:g}, {self.amplitude_90:g} and "
                f"{self.amplitude_99:g} DN; expected ascending ones"
            )
        return self

    def amplitudes(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the quantile function of the peak in DN.

        The logarithm is piecewise linear through the measured quantiles, and goes on with the slope of its last piece
        at either end: in the normal score (log-normal pieces), or, where spots were counted from a lowest peak on, in
        the logarithm of the probability to exceed it (Pareto pieces, as tails above a threshold have them). Beyond the
        last quantile such a tail goes on flattening as it did before it; no detector counts without bound.
        """
        if self.lowest is not None:
            peaks = np.log([self.lowest, self.amplitude_50, self.amplitude_90, self.amplitude_99])
            exceeded = -np.log([1.0, 0.5, 0.1, 0.01])
            steepness = np.diff(peaks) / np.diff(exceeded)
            score = -np.log1p(-probability)
            last = steepness[-1] * min(1.0, steepness[-1] / steepness[-2])
            beyond = np.maximum(score - exceeded[-1], 0.0) * last
            pareto: NDArray[np.float64] = np.exp(np.interp(score, exceeded, peaks) + beyond)
            return pareto
        scores = ndtri(np.array([0.5, 0.9, 0.99]))
        logs = np.log([self.amplitude_50, self.amplitude_90, self.amplitude_99])
        slopes = np.diff(logs) / np.diff(scores)
        score = ndtri(probability)
        lower = logs[1] + slopes[0] * (score - scores[1])
        upper = logs[1] + slopes[1] * (score - scores[1])
        quantiles: NDArray[np.float64] = np.exp(np.where(score < scores[1], lower, upper))
        return quantiles

    def draw_sizes(self, count: int, rng: Generator) -> NDArray[np.int64]:
        """Draw areas in px, at least 1."""
        if self.size_99 == 1.0:
            return np.ones(count, np.int64)
        return rng.geometric(1.0 - math.exp(math.log(0.01) / self.size_99), count)

    def draw(self, shape: tuple[int, int], seconds: float, rng: Generator) -> Tracks:
        """Draw the spots of one exposure.

        A spot is the straight track of a particle through the chip: its first pixel has the peak, the others between
        a fifth and the whole of it.

        Parameters
        ----------
        shape
            (y, x) in px.
        seconds
            Exposure time.
        rng
            Random stream.
        """
        count = int(rng.poisson(self.rate * seconds * math.prod(shape) * 1e-6))
        sizes = self.draw_sizes(count, rng)
        peaks = self.amplitudes(rng.uniform(1e-6, 1.0 - 1e-6, count))
        starts = rng.uniform(0.0, 1.0, (count, 2)) * shape
        angles = rng.uniform(0.0, 2.0 * np.pi, count)
        # Steps of one pixel along the larger component make a track as many distinct pixels long as its size says.
        directions = np.stack([np.sin(angles), np.cos(angles)], axis=1)
        directions /= np.abs(directions).max(axis=1, keepdims=True)
        spot = np.repeat(np.arange(count), sizes)
        place = np.arange(len(spot)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        rows, columns = np.floor(starts[spot] + place[:, None] * directions[spot]).astype(np.int64).T
        share = np.where(place == 0, 1.0, rng.uniform(0.2, 1.0, len(spot)))
        inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
        return Tracks(
            rows[inside], columns[inside], (peaks[spot] * share)[inside].astype(np.float32), spot[inside], count
        )

    def add_to(self, image: Float32, seconds: float, rng: Generator) -> NDArray[np.bool_]:
        """Add the spots of one exposure to an image in place.

        Parameters
        ----------
        image
            float32 (y, x) in DN.
        seconds
            Exposure time.
        rng
            Random stream.

        Returns
        -------
        Mask (y, x) of the pixels hit.
        """
        tracks = self.draw((image.shape[0], image.shape[1]), seconds, rng)
        hit = np.zeros(image.shape, np.bool_)
        np.add.at(image, (tracks.rows, tracks.columns), tracks.amplitudes)
        hit[tracks.rows, tracks.columns] = True
        return hit
