"""The regions of a measurement with their classes dealt anew, so that no class keeps its place or its shape."""

from __future__ import annotations

from functools import cached_property
from typing import Self

import numpy as np
import xarray as xr
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator
from scipy import ndimage

from beamforge.arrays import Int64Field, UInt8Field
from beamforge.errors import InputError
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Scene
from beamforge.stack import IGNORE, check_pair
from beamforge.statistics.autocovariance import connected_regions


class PermutedRois(Scene, name="permuted_rois"):
    """Regions of an annotated measurement: classes permuted among them, each shifted, a tile cut out.

    Every region keeps its shape; the list of the regions' classes is shuffled, each region moves by up to
    `max_shift` along y and x, and a tile is cut at a random place that held at least one labelled pixel. Where
    regions meet, the smaller one lies on top. What no region covers is `unlabelled`.

    Source: Sathe et al. 2024, who permute the labels of the sample positions to make new images.

    Attributes
    ----------
    regions
        (y, x) number of the region of each pixel, counted from 1 in order of falling size; 0 is none.
    region_classes
        (region,) class of each region in the measurement.
    tile
        Side of the tile in px.
    max_shift
        Largest shift of a region in px.
    unlabelled
        Class of the pixels that no region covers; 255 leaves them out.
    """

    regions: Int64Field
    region_classes: UInt8Field
    tile: PositiveInt = 192
    max_shift: NonNegativeInt = 0
    unlabelled: int = Field(default=IGNORE, ge=0, le=IGNORE)

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.regions.ndim != 2 or min(self.regions.shape) < self.tile:
            raise ValueError(f"a tile of {self.tile} px does not fit into regions of shape {self.regions.shape}")
        if self.region_classes.size == 0 or self.regions.max() != self.region_classes.size:
            raise ValueError(f"{self.region_classes.size} classes for {int(self.regions.max())} regions")
        return self

    @classmethod
    def fit(
        cls,
        stack: xr.DataArray,
        labels: xr.DataArray,
        *,
        tile: int = 192,
        max_shift: int = 0,
        unlabelled: int = IGNORE,
        least: int = 16,
    ) -> Self:
        """Take the connected regions of at least `least` pixels out of the labels of a measurement.

        Raises
        ------
        InputError
            If sizes differ, nothing is labelled, or the tile does not fit into the measurement.
        """
        check_pair(stack, labels)
        found = connected_regions(np.asarray(labels.values), least)
        if not found:
            raise InputError(f"the labels hold no region of at least {least} pixels; label some or lower `least`")
        if tile > min(labels.shape):
            size = " × ".join(str(side) for side in labels.shape)
            raise InputError(f"a tile of {tile} px does not fit into a measurement of {size} px; make it smaller")
        found.sort(key=lambda region: int(region[2].sum()), reverse=True)
        numbers = np.zeros(labels.shape, np.int64)
        for number, (_, box, mask) in enumerate(found, start=1):
            numbers[box][mask] = number
        classes = np.array([label for label, _, _ in found])
        return cls(regions=numbers, region_classes=classes, tile=tile, max_shift=max_shift, unlabelled=unlabelled)

    @cached_property
    def _labelled(self) -> NDArray[np.int64]:
        return np.argwhere(self.regions > 0)

    @cached_property
    def _boxes(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """First corner of the bounding box of each region, and the one just outside its end."""
        boxes = ndimage.find_objects(self.regions)
        return [(np.array([s.start for s in box]), np.array([s.stop for s in box])) for box in boxes]

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw the class and the shift of every region, and the place of the tile."""
        count = self.region_classes.size
        seen = self._labelled[rng.integers(len(self._labelled))]
        corner = seen - rng.integers(0, self.tile, size=2)
        return {
            "classes": rng.permutation(self.region_classes).tolist(),
            "shifts": rng.integers(-self.max_shift, self.max_shift, size=(count, 2), endpoint=True).tolist(),
            "corner": np.clip(corner, 0, np.array(self.regions.shape) - self.tile).tolist(),
        }

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Lay the regions, the largest first, and cut the tile out."""
        labels = np.full((self.tile, self.tile), self.unlabelled, np.uint8)
        corner = np.asarray(parameters["corner"])
        drawn = zip(self._boxes, parameters["classes"], parameters["shifts"], strict=True)
        for number, ((first, last), label, shift) in enumerate(drawn, start=1):
            # Where the tile's pixels come from: the tile moved back by the region's shift, cut to the region's box.
            origin = corner - np.asarray(shift)
            low, high = np.maximum(first, origin), np.minimum(last, origin + self.tile)
            if (low < high).all():
                source = self.regions[low[0] : high[0], low[1] : high[1]] == number
                top, left = low - origin
                target = labels[top : top + source.shape[0], left : left + source.shape[1]]
                target[source] = label
        return sample.replace(labels=labels)
