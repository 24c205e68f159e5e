"""Whole tomograms of micropillars with exact labels, made and written slab by slab."""

from __future__ import annotations

from pathlib import Path

import dask.array as da
import numpy as np
from numpy.random import SeedSequence, default_rng
from pydantic import BaseModel, ConfigDict, PositiveInt

from beamforge.errors import InputError
from beamforge.files import write_json
from beamforge.io import open_label_writer
from beamforge.io.stack_writer import open_stack_writer
from beamforge.progress import tracked
from beamforge.provenance import provenance
from beamforge.simulation.intensities.tomogram import Tomogram
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.scenarios.micropillar import PILLAR_CLASSES
from beamforge.simulation.scenes.micropillar import Micropillar, labels_of
from beamforge.stack import Channel, as_stack

SLAB = 8
"""Slices that are made at once; the propagation sees no more than these and their margin."""


class PillarVolume(BaseModel):
    """A pillar and its measurement.

    Attributes
    ----------
    pillar
        The pillar; its tile and depth are the size of the volume.
    tomogram
        The measurement.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pillar: Micropillar = Micropillar(tile=192, depth=96)
    tomogram: Tomogram = Tomogram()
    slab: PositiveInt = SLAB

    def draw(self, seed: int) -> tuple[Parameters, Parameters]:
        """Draw the parameters of pillar and measurement."""
        scene, measurement = (default_rng(one) for one in SeedSequence(seed).spawn(2))
        return self.pillar.draw(Sample.empty(), scene), self.tomogram.draw(Sample.empty(), measurement)

    def slices(self, seed: int, bottom: int, top: int) -> tuple[np.ndarray, np.ndarray]:
        """Make the slices from `bottom` up to `top`, without it, as one slab.

        Returns
        -------
        float32 (z, y, x) in 1/cm, and uint8 labels (z, y, x).
        """
        of_pillar, of_tomogram = self.draw(seed)
        margin = self.tomogram.margin
        phases = self.pillar.phases(of_pillar, bottom - margin, top + margin)
        image = self.tomogram.reconstruct(phases, of_tomogram, bottom - margin, range(bottom, top), seed)
        return image, labels_of(phases[margin : len(phases) - margin])

    def write(self, folder: str | Path, seed: int, *, shape: tuple[int, int, int] | None = None) -> None:
        """Write ``image.zarr``, ``labels.zarr`` and ``parameters.json`` into a folder.

        Memory holds one slab, whatever the size of the volume.

        Parameters
        ----------
        folder
            Where to; it is made.
        seed
            The same seed gives the same bytes.
        shape
            Part of the volume to keep, (z, y, x), cut out of the middle of y and x; by default all.

        Raises
        ------
        InputError
            If the part is larger than the volume.
        """
        place, whole = Path(folder), (self.pillar.depth, self.pillar.tile, self.pillar.tile)
        depth, rows, columns = size = shape or whole
        if any(part > side or part < 1 for part, side in zip(size, whole, strict=True)):
            raise InputError(f"a part of {size} px of a volume of {whole} px (z, y, x); make the volume larger")
        top, left = (whole[1] - rows) // 2, (whole[2] - columns) // 2
        here = np.s_[:, top : top + rows, left : left + columns]
        of_tomogram = self.draw(seed)[1]
        origin = provenance(simulated=True, seed=seed, recipe=self.model_dump(mode="json"))
        pixel = of_tomogram["pixel_size"]
        channels = [Channel(mode="attenuation", z=float(z)) for z in range(depth)]
        like = as_stack(da.zeros(size, dtype=np.float32), channels, pixel_size=pixel, units="1/cm")
        with (
            open_stack_writer(place / "image.zarr", like, provenance=origin) as write,
            open_label_writer(
                place / "labels.zarr", size, PILLAR_CLASSES, pixel_size=pixel, provenance=origin
            ) as writer,
        ):
            for bottom in tracked(range(0, depth, self.slab), "simulating slabs"):
                end = min(bottom + self.slab, depth)
                image, labels = self.slices(seed, bottom, end)
                for z in range(bottom, end):
                    write(z, 0, np.ascontiguousarray(image[here][z - bottom]))
                writer.write(labels[here], (bottom, 0, 0))
        write_json(place / "parameters.json", {"seed": seed, "tomogram": of_tomogram})
