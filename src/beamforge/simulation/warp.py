"""Moving the pixels of a sample: image, labels and what else has a value for every pixel, alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import affine_transform

from beamforge.arrays import Float64
from beamforge.simulation.sample import Sample

Move = Callable[[np.ndarray], np.ndarray]

_NAN_SHARE = 0.5


def moved(sample: Sample, image: Move, numbers: Move) -> Sample:
    """Move the pixels of a sample.

    Parameters
    ----------
    sample
        The sample.
    image
        Moves values (..., y, x): the image and extras of floats of its size.
    numbers
        Moves what must not be interpolated: labels, and extras of other types of its size.
    """
    size = sample.labels.shape
    extras = {
        name: (image if array.dtype.kind == "f" else numbers)(array) if array.shape[-2:] == size else array
        for name, array in sample.extras.items()
    }
    return sample.replace(image=image(sample.image), labels=numbers(sample.labels), extras=extras)


def warped(sample: Sample, matrix: Float64) -> Sample:
    """Take every pixel of a sample from another place.

    The middle of the image stays. Values are interpolated by cubic splines, which keep most of the noise that
    bilinear interpolation would smooth away; labels are the nearest ones; beyond its border the image goes on by
    reflection, and so do the labels. Pixels that rest mostly on ones that are not finite are NaN.

    Parameters
    ----------
    sample
        The sample.
    matrix
        float64 (2, 2): the place (y, x) in the old image, relative to its middle, of a place in the new one.
    """

    def interpolate(values: np.ndarray) -> np.ndarray:
        finite = np.isfinite(values)
        filled = (
            values if finite.all() else np.where(finite, values, np.mean(values, where=finite) if finite.any() else 0)
        )
        result = _each_plane(filled, matrix, 3)
        if not finite.all():
            result[_each_plane((~finite).astype(np.float32), matrix, 1) > _NAN_SHARE] = np.nan
        return result

    return moved(sample, interpolate, lambda values: _each_plane(values, matrix, 0))


def _each_plane(values: np.ndarray, matrix: Float64, order: int) -> np.ndarray:
    middle = (np.array(values.shape[-2:]) - 1) / 2
    planes = values.reshape(-1, *values.shape[-2:])
    result = np.empty_like(planes)
    for plane, target in zip(planes, result, strict=True):
        affine_transform(plane, matrix, middle - matrix @ middle, output=target, order=order, mode="reflect")
    return result.reshape(values.shape)
