"""The grains of a polycrystal, drawn anew or measured, for the forward model to look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.random import Generator
from pydantic import Field

from beamforge.errors import InputError
from beamforge.simulation.polycrystals.grain_files import read_grain_volume
from beamforge.simulation.polycrystals.laguerre import Polycrystal
from beamforge.simulation.polycrystals.volume import GrainVolume
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Scene

GRAINS, ORIENTATIONS, PLACEMENT = "grains", "orientations", "placement"
"""Names of the extra arrays: grain numbers (z, y, x), orientations (grain, 3, 3), and voxel size and centre in mm."""


class PolycrystalScene(Scene, name="polycrystal"):
    """Draws the grains of a polycrystal; there is no image yet, the grains are extra arrays of the sample.

    Attributes
    ----------
    sample
        How the polycrystal is drawn.
    """

    polycrystal: Polycrystal = Field(default_factory=lambda: Polycrystal.named("D35"))

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw where grains start, how large they become and how they are oriented."""
        places, volumes = self.polycrystal.draw_seeds(rng)
        return {"places": places, "volumes": volumes, "orientations": self.polycrystal.draw_orientations(rng)}

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Fill the body with the grains."""
        arrays = [np.asarray(parameters[name], np.float64) for name in ("places", "volumes", "orientations")]
        return with_grains(sample, self.polycrystal.build(*arrays))


class GrainFileScene(Scene, name="grain_file"):
    """Takes the grains from a file: GrainMapper3D or DREAM.3D (HDF5).

    Attributes
    ----------
    path
        The file.
    """

    path: Path

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Read the grains."""
        return with_grains(sample, read_grain_volume(self.path))

    def to_dict(self) -> dict[str, object]:
        """Give name and config; the path as text."""
        return {**super().to_dict(), "path": str(self.path)}


def with_grains(sample: Sample, volume: GrainVolume) -> Sample:
    """Give the sample with a grain volume among its extra arrays."""
    placement = np.array([volume.voxel_size, *volume.centre])
    arrays = {GRAINS: volume.labels, ORIENTATIONS: volume.orientations, PLACEMENT: placement}
    return sample.replace(extras={**sample.extras, **arrays})


def grains_of(sample: Sample) -> GrainVolume:
    """Give the grain volume among a sample's extra arrays.

    Raises
    ------
    InputError
        If there is none.
    """
    missing = [name for name in (GRAINS, ORIENTATIONS, PLACEMENT) if name not in sample.extras]
    if missing:
        raise InputError(
            f"the sample holds no grains ({', '.join(missing)} missing); put a scene such as polycrystal or grain_file "
            "before the projection"
        )
    size, x, y, z = (float(value) for value in sample.extras[PLACEMENT])
    return GrainVolume(sample.extras[GRAINS], sample.extras[ORIENTATIONS], size, (x, y, z))
