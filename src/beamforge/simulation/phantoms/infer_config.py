"""What the phantom of the neutron interferometer consists of, and how it is measured."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, model_validator

from beamforge.arrays import Float64
from beamforge.physics.correlogram import Suspension
from beamforge.physics.detector import Detector, PixelFaults
from beamforge.physics.gamma_spots import GammaSpots
from beamforge.physics.materials import HEAVY_WATER, POLYSTYRENE
from beamforge.reduction.region import Region
from beamforge.stack import Classes

Layout = Literal["annotated", "unseen"]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]

# Diameters are those polystyrene spheres are sold in. Larger ones are more dilute, so that each suspension takes a
# quarter to a half of the fringes' visibility; one volume fraction for all would leave either nothing to see or none.
_SPHERES = {50.0: 0.100, 100.0: 0.060, 200.0: 0.040, 500.0: 0.015, 1000.0: 0.008, 2000.0: 0.005, 3000.0: 0.004}

BACKGROUNDS = ("open beam", "aluminium holder", "steel bar")
CONTROLS = ("empty cuvette", "D2O")


class InferPhantom(BaseModel):
    """Nine cuvettes in a holder in front of a far-field neutron interferometer.

    It stands in for the experiment of Sathe et al. 2024, whose data are not public: 2 mm quartz cuvettes with seven
    suspensions of polystyrene spheres in D2O, pure D2O and nothing; behind and between them open beam, the aluminium
    holder and the steel bar that joins its halves.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(default=320, ge=128)
    """Side of the square frames in px."""
    field: PositiveFloat = 98.8
    """Side of the field of view in mm."""
    lengths: int = Field(default=8, ge=1)
    """How many autocorrelation lengths, evenly spread in the logarithm."""
    shortest: PositiveFloat = 40.0
    """Shortest autocorrelation length in nm."""
    longest: PositiveFloat = 2000.0
    """Longest autocorrelation length in nm."""
    modes: tuple[Literal["H0", "H1", "DF", "phase"], ...] = ("H0", "H1", "DF")

    wavelength: PositiveFloat = 4.0
    """In Å."""
    distance: PositiveFloat = 6.0
    """From the samples to the detector in m."""
    steps: int = Field(default=5, ge=3)
    """Phase steps over one period."""
    step_error: NonNegativeFloat = 0.01
    """Standard deviation of a step's real place from its nominal one in rad."""
    flux: PositiveFloat = 16.0
    """Neutrons detected per pixel and second where the beam is brightest."""
    exposure: PositiveFloat = 30.0
    """Seconds per frame."""
    dark_frames: int = Field(default=5, ge=1)
    dose_error: NonNegativeFloat = 0.01
    """Relative standard deviation of the dose from frame to frame; the monitor sees it."""
    monitor_rate: PositiveFloat = 3e4
    """Counts of the beam monitor per second."""

    beam_fall: Fraction = 0.25
    """Relative loss of the beam half a field from its centre."""
    beam_drift: NonNegativeFloat = 0.004
    """How far the beam moves between open beam and samples, as a fraction of the field."""
    visibility: Fraction = 0.4
    """Of the fringes at short autocorrelation lengths, where it is best in the field."""
    visibility_fall: Fraction = 0.2
    """Relative loss of visibility half a field from its best place."""
    visibility_range: PositiveFloat = 3000.0
    """Autocorrelation length in nm at which the visibility has fallen to 1/e, as the source's slits have a width."""
    detector_scatter: Fraction = 0.06
    """Of the transmitted beam, scattered over the field by detector and housing."""
    sample_scatter: Fraction = 0.10
    """Of what samples take out of the beam, scattered into the detector."""
    scatter_width: PositiveFloat = 12.0
    """Standard deviation of scattered fields in mm."""

    suspensions: tuple[Suspension, ...] = tuple(
        Suspension(sphere=POLYSTYRENE, solvent=HEAVY_WATER, diameter=diameter, volume_fraction=fraction)
        for diameter, fraction in _SPHERES.items()
    )
    creaming: Fraction = 0.4
    """Relative excess of spheres at the top of the last suspension: polystyrene is lighter than D2O and rises."""
    label_margin: NonNegativeInt = 2
    """Pixels on either side of an edge that the annotator leaves out."""

    detector: Detector = Detector(gamma=GammaSpots(rate=40.0))
    faults: PixelFaults = PixelFaults()
    camera_seed: NonNegativeInt = 0
    """Decides which pixels are faulty: one camera takes all acquisitions."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.suspensions) > 7:
            raise ValueError(f"{len(self.suspensions)} suspensions, the holder has room for 7 beside the 2 controls")
        if self.lengths > 1 and not self.shortest < self.longest:
            raise ValueError(f"autocorrelation lengths from {self.shortest:g} to {self.longest:g} nm do not ascend")
        pixels = self.wavelength * self.distance / self.longest * 100.0 / self.pixel_size * 1000.0
        if pixels < 2.5:
            raise ValueError(
                f"the fringes of the longest autocorrelation length ({self.longest:g} nm) have a period of "
                f"{pixels:.2g} px, at least 2.5 are needed; take more pixels or a shorter length"
            )
        return self

    @classmethod
    def demo(cls, **changes: Any) -> Self:
        """Make the small phantom: 320 px, 8 autocorrelation lengths."""
        return cls(**changes)

    @classmethod
    def full(cls, **changes: Any) -> Self:
        """Make the phantom at the size of the paper's experiment: 1924 px, 84 autocorrelation lengths."""
        return cls(**{"size": 1924, "lengths": 84, "flux": 3.0} | changes)

    @property
    def pixel_size(self) -> float:
        """Side of a pixel in µm."""
        return self.field / self.size * 1000.0

    @property
    def autocorrelation_lengths(self) -> Float64:
        """In nm, ascending."""
        return np.geomspace(self.shortest, self.longest, self.lengths)

    @property
    def nominal_steps(self) -> Float64:
        """Phase steps in rad."""
        return 2.0 * np.pi * np.arange(self.steps) / self.steps

    @property
    def classes(self) -> Classes:
        """Backgrounds, controls, suspensions."""
        spheres = tuple(f"{suspension.diameter:g} nm" for suspension in self.suspensions)
        return Classes(names=(*BACKGROUNDS, *CONTROLS, *spheres))

    @property
    def dose_region(self) -> Region:
        """The area left of the holder, always open beam."""
        pixel = self.field / self.size
        return Region(top=int(5 / pixel), left=int(1.5 / pixel), height=int(35 / pixel), width=int(5 / pixel))
