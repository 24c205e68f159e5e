"""A sample as the scene `roots` leaves it, for the steps that work on one."""

import numpy as np

from beamforge.simulation import Sample


def root_sample(size: tuple[int, int] = (40, 48)) -> Sample:
    """Soil of 8 mm depth below row 10 and left of column 40, with an upright root of 1 mm around column 20."""
    labels = np.zeros(size, np.uint8)
    labels[:, 19:22] = 1
    path = np.where(labels == 1, np.float32(1.0), np.float32(0.0))
    depth = np.full(size, np.float32(8.0))
    depth[:, 40:] = 0.0
    below = np.repeat(np.arange(size[0], dtype=np.float32)[:, None] - 10.0, size[1], axis=1)
    soil = np.where(below > 0, np.maximum(depth - path, 0.0), np.float32(0.0)).astype(np.float32)
    beside = np.broadcast_to(np.maximum(np.arange(size[1], dtype=np.float32) - 39.0, 0.0), size).copy()
    extras = {"root_path": path, "soil_path": soil, "box_depth": depth, "below": below, "beside": beside}
    return Sample(image=np.ones((1, *size), np.float32), labels=labels, extras=extras)
