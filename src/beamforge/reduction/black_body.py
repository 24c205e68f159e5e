"""Black bodies: dots that no neutron passes, so that what is counted under them is scatter and background.

A grid of such dots in front of the sample samples the field that scattering adds to an image. The readings are few
(one a dot); `PolynomialField` carries them smoothly over the whole image.

Source: Boillat et al. 2018, Optics Express 26, 15769.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict
from scipy import ndimage

from beamforge.arrays import Float32, Float64, Float64Field
from beamforge.errors import InputError

SMALLEST_DOT = 9
"""Pixels a dot must have for its median to mean anything."""


@dataclass(frozen=True)
class Readings:
    """What was counted under each dot.

    Attributes
    ----------
    places
        Centres (dot, 2) as (y, x) in px.
    values
        Medians (dot,) in the units of the frame.
    """

    places: Float64
    values: Float64

    def __len__(self) -> int:
        return len(self.values)


def read_black_bodies(frame: Float32, mask: ArrayLike) -> Readings:
    """Take the median under each dot of a black-body grid; medians do not mind gamma spots.

    Parameters
    ----------
    frame
        Dark-corrected frame (y, x) taken with the grid.
    mask
        (y, x), not 0 well inside the dots; each connected region is one dot.

    Raises
    ------
    InputError
        If the sizes differ, there is no dot, or one has fewer than 9 finite pixels.
    """
    inside = np.asarray(mask) != 0
    if inside.shape != frame.shape:
        raise InputError(
            f"the black-body mask has shape {inside.shape} but the frame {frame.shape} (y, x); crop or pad one of them"
        )
    regions, count = ndimage.label(inside)
    if count == 0:
        raise InputError("the black-body mask marks no dot; it must be non-zero under the dots")
    values = np.empty(count)
    for number, box in enumerate(ndimage.find_objects(regions), start=1):
        pixels = frame[box][regions[box] == number]
        pixels = pixels[np.isfinite(pixels)]
        if len(pixels) < SMALLEST_DOT:
            raise InputError(
                f"dot {number} of the black-body mask, at (y, x) = ({box[0].start}, {box[1].start}), has {len(pixels)} "
                f"finite pixels, expected at least {SMALLEST_DOT}; remove it from the mask"
            )
        values[number - 1] = np.median(pixels)
    places = np.array(ndimage.center_of_mass(inside, regions, range(1, count + 1)), dtype=np.float64)
    return Readings(places, values)


class PolynomialField(BaseModel):
    """A smooth field of scatter and background of a frame, in units of that frame's median.

    The unit makes it independent of dose and exposure time: a field measured with a grid (which takes a few percent of
    the beam) or at another exposure fits any frame of the same setting.

    Attributes
    ----------
    coefficients
        (degree + 1, degree + 1): factors of y^i x^j, y and x from -1 to 1 over the image.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    coefficients: Float64Field

    @classmethod
    def fit(cls, frame: Float32, mask: ArrayLike, degree: int = 2) -> Self:
        """Fit the field to the readings of one frame by least squares.

        Parameters
        ----------
        frame
            Dark-corrected frame (y, x) taken with the grid.
        mask
            (y, x), not 0 under the dots.
        degree
            Total degree of the polynomial in y and x.

        Raises
        ------
        InputError
            If there are fewer dots than the polynomial has terms, or the dots lie in a line so that they do not
            determine it.
        """
        readings = read_black_bodies(frame, mask)
        powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
        y, x = _to_unit(readings.places.T, frame.shape)
        terms = np.stack([y**i * x**j for i, j in powers], axis=-1)
        relative = readings.values / float(np.nanmedian(frame))
        solution, _, rank, _ = np.linalg.lstsq(terms, relative)
        if rank < len(powers):
            raise InputError(
                f"{len(readings)} black-body dots do not determine a field of degree {degree} ({len(powers)} terms); "
                "take a lower degree"
            )
        coefficients = np.zeros((degree + 1, degree + 1))
        for (i, j), factor in zip(powers, solution, strict=True):
            coefficients[i, j] = factor
        return cls(coefficients=coefficients)

    def of(self, frame: Float32) -> Float32:
        """Give the field inside a dark-corrected frame (y, x) of the same setting, in the frame's units."""
        height, width = frame.shape
        y, _ = _to_unit((np.arange(height), 0.0), frame.shape)
        _, x = _to_unit((0.0, np.arange(width)), frame.shape)
        relative = np.polynomial.polynomial.polygrid2d(y, x, self.coefficients)
        field: Float32 = (relative * float(np.nanmedian(frame))).astype(np.float32)
        return field


def _to_unit(places: tuple[ArrayLike, ArrayLike] | Float64, shape: tuple[int, ...]) -> tuple[Float64, Float64]:
    """Map pixel places to -1..1 over the image."""
    height, width = shape
    y, x = (np.asarray(axis, dtype=np.float64) for axis in places)
    return 2.0 * (y + 0.5) / height - 1.0, 2.0 * (x + 0.5) / width - 1.0
