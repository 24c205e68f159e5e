"""What of a clean projection counts as spot: the content image that a network is to give."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, gaussian_laplace

from beamforge.arrays import Float32, Integers
from beamforge.errors import InputError

_LEAST = 4
"""Pixels of a spot; what is left of one under a brighter one may be less and is dropped."""


def content_image(clean: Float32, *, sigma: float = 1.0, floor: float = 1.0) -> NDArray[np.bool_]:
    """Mark the spots of a projection without background and noise, each as far as its steepest flanks.

    These are where the Laplacian of Gaussian changes its sign; the extent does not depend on how bright a spot is.
    What is dark but enclosed, such as the flat middle of a large spot, belongs to it.

    Source: the content images of Fang et al. 2021.

    Parameters
    ----------
    clean
        Photons (y, x) of the spots alone.
    sigma
        Of the Gaussian in px.
    floor
        Photons below which nothing is a spot.

    Raises
    ------
    InputError
        If it is not an image or has values below 0.
    """
    if clean.ndim != 2 or not (clean >= 0.0).all():
        raise InputError("a clean projection is an image (y, x) of photons, 0 and more; leave background and noise out")
    inside = (gaussian_laplace(clean.astype(np.float64), sigma, mode="nearest") < 0.0) & (clean >= floor)
    filled: NDArray[np.bool_] = binary_fill_holes(inside) & (clean >= floor)
    return filled


def numbered_content(clean: Float32, owners: Integers, *, sigma: float = 1.0, floor: float = 1.0) -> Integers:
    """Give of every pixel the number of the spot it belongs to, int32 (y, x); 0 is none.

    Parameters
    ----------
    clean
        See `content_image`.
    owners
        Number (y, x) of the brightest spot of each pixel, as `Projection.owners`.
    sigma, floor
        See `content_image`.
    """
    numbers = np.where(content_image(clean, sigma=sigma, floor=floor), owners, 0)
    present = np.bincount(numbers.ravel()) >= _LEAST
    present[0] = False
    return np.where(present[numbers], numbers, 0).astype(np.int32)
