"""Filtering images with gaps channel by channel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from beamforge.arrays import Float32


def filter_planes(image: Float32, filtered: Callable[[Float32, int], Float32]) -> Float32:
    """Apply a filter to every channel of an image (channel, y, x).

    Values that are not finite are replaced by the channel's median for the filter, and stay what they are.

    Parameters
    ----------
    image
        float32 (channel, y, x).
    filtered
        Gives the filtered plane (y, x) of a plane and its channel's number.
    """
    found = np.empty_like(image)
    for number, plane in enumerate(image):
        valid = np.isfinite(plane)
        if not valid.any():
            found[number] = plane
            continue
        whole = plane if valid.all() else np.where(valid, plane, np.median(plane[valid]))
        found[number] = np.where(valid, filtered(whole.astype(np.float32), number), plane)
    return found
