"""What a laboratory diffraction detector shows of a sample's grains."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, field_validator

from beamforge.physics.crystals import Crystal
from beamforge.physics.labdct import Instrument
from beamforge.simulation.interval import Interval
from beamforge.simulation.labdct.forward import VISIBLE, ForwardModel
from beamforge.simulation.polycrystals.body import Body
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.scenes.polycrystal import grains_of
from beamforge.simulation.step import Intensity

SPOTS, OWNERS = "spots", "owners"
"""Names of the extra arrays: the table of spots, and which spot a pixel belongs to."""


class DiffractionProjection(Intensity, name="diffraction_projection"):
    """Projects the sample's grains at a drawn rotation: expected photons of the spots, 1 where a spot is visible.

    The table of spots and the map of their owners become extra arrays; see `Projection`.

    Attributes
    ----------
    crystal, instrument
        Names of presets or settings.
    body
        Outer shape that absorbs; None for none.
    families, mesh, visible, mosaicity
        See `ForwardModel`.
    omega
        Rotation in degrees.
    """

    changes_labels: ClassVar[bool] = True

    crystal: Crystal = Field(default_factory=lambda: Crystal.named("Fe"))
    instrument: Instrument = Field(default_factory=lambda: Instrument.named("simulation-11-11"))
    body: Body | None = None
    families: PositiveInt = 4
    mesh: PositiveFloat = 1.0
    visible: NonNegativeFloat = VISIBLE
    mosaicity: NonNegativeFloat = 0.0
    omega: Interval = Interval(low=-180.0, high=180.0)

    @field_validator("crystal", "instrument", mode="before")
    @classmethod
    def _named(cls, value: Any, info: Any) -> Any:
        if not isinstance(value, str):
            return value
        return Crystal.named(value) if info.field_name == "crystal" else Instrument.named(value)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Project the grains."""
        model = ForwardModel(
            volume=grains_of(sample),
            crystal=self.crystal,
            instrument=self.instrument,
            body=self.body,
            families=self.families,
            mesh=self.mesh,
            visible=self.visible,
            mosaicity=self.mosaicity,
        )
        projection = model.project(parameters["omega"])
        extras = {**sample.extras, SPOTS: projection.spots, OWNERS: projection.owners}
        labels = (projection.owners > 0).astype(np.uint8)
        return sample.replace(image=projection.image[None], labels=labels, extras=extras)
