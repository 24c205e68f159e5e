"""A rectangle of pixels, such as the open area that tells the dose of a frame."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt
from scipy.stats import trim_mean

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError


class Region(BaseModel):
    """A rectangle in px; row ``top`` and column ``left`` are inside."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    top: NonNegativeInt
    left: NonNegativeInt
    height: PositiveInt
    width: PositiveInt

    def cut(self, frames: Float32) -> Float32:
        """Cut the rectangle out of frames (..., y, x).

        Raises
        ------
        InputError
            If it reaches over the border.
        """
        rows, columns = frames.shape[-2:]
        bottom, right = self.top + self.height, self.left + self.width
        if bottom > rows or right > columns:
            raise InputError(
                f"the dose region reaches to row {bottom} and column {right}, but the frames are {rows}×{columns} "
                "(y, x); choose a region of open beam inside them"
            )
        return frames[..., self.top : bottom, self.left : right]

    def dose(self, frames: Float32) -> Float64:
        """Average over the rectangle, leaving out the brightest and darkest tenth, where white spots would count.

        Parameters
        ----------
        frames
            Dark-corrected (..., y, x).

        Returns
        -------
        float64 (...).

        Raises
        ------
        InputError
            If the average is not positive: there is no open beam.
        """
        cut = self.cut(frames)
        dose = np.asarray(trim_mean(cut.reshape(*cut.shape[:-2], -1).astype(np.float64), 0.1, axis=-1))
        if not (dose > 0.0).all():
            raise InputError(
                f"the dose region's average is {dose.min():g} after dark correction; choose a region of open beam"
            )
        return dose
