"""The instrument of laboratory diffraction contrast tomography: geometry, tube, detector, exposure.

The frame: x along the beam, z up, y to the left as the beam sees it; the sample turns about z through the origin, the
source is at (-source_to_sample, 0, 0). On the detector columns run to the right and rows down, that is along -y and -z,
counted from 0 at the centre of the first pixel.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator
from scipy.spatial.transform import Rotation

from beamforge.arrays import Float64
from beamforge.errors import InputError, one_of
from beamforge.physics.materials import Material
from beamforge.physics.xray_tube import TabulatedSpectrum, TungstenTube, attenuation

CAESIUM_IODIDE = Material(name="CsI", formula="CsI", density=4.51)


class Geometry(BaseModel):
    """Where source, sample and detector are.

    Attributes
    ----------
    source_to_sample, sample_to_detector
        Distances along the beam in mm.
    pixel_size
        In µm.
    shape
        Rows and columns of the detector.
    beam_centre
        Row and column that the straight beam through the rotation axis meets, from 0; None is the detector's middle.
    tilts
        Turns of the detector about x, y and z in degrees: R = Rx Ry Rz turns its normal, its y and its z.
    beam_stop
        First row, row behind the last, first column, column behind the last of the shadow; None for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source_to_sample: PositiveFloat = 11.0
    sample_to_detector: float = 11.0
    pixel_size: PositiveFloat = 3.3623
    shape: tuple[PositiveInt, PositiveInt] = (2032, 2032)
    beam_centre: tuple[float, float] | None = None
    tilts: tuple[float, float, float] = (0.0, 0.0, 0.0)
    beam_stop: tuple[int, int, int, int] | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.sample_to_detector > 0.0:
            raise ValueError(
                f"sample_to_detector is {self.sample_to_detector:g} mm: the detector would stand behind the beam; "
                "expected a positive distance downstream of the sample"
            )
        if not self.axes[0, 0] > 0.1:
            raise ValueError(
                f"tilts of {self.tilts}° turn the detector's face away from the beam; expected tilts well below 90°"
            )
        stop = self.beam_stop
        if stop is not None and not (
            0 <= stop[0] < stop[1] <= self.shape[0] and 0 <= stop[2] < stop[3] <= self.shape[1]
        ):
            raise ValueError(f"the beam stop {stop} (rows, then columns) does not lie on a detector of {self.shape} px")
        return self

    @property
    def axes(self) -> Float64:
        """The detector's normal, y and z axes as columns (3, 3)."""
        return np.asarray(Rotation.from_euler("XYZ", self.tilts, degrees=True).as_matrix())

    @property
    def source(self) -> Float64:
        """Position of the source (3,) in mm."""
        return np.array([-self.source_to_sample, 0.0, 0.0])

    @property
    def centre(self) -> tuple[float, float]:
        """Row and column of the straight beam."""
        if self.beam_centre is not None:
            return self.beam_centre
        return (self.shape[0] - 1) / 2.0, (self.shape[1] - 1) / 2.0

    @property
    def pixel(self) -> float:
        """Size of a pixel in mm."""
        return self.pixel_size * 1e-3

    @property
    def magnification(self) -> float:
        """How much larger a shadow is than the sample."""
        return (self.source_to_sample + self.sample_to_detector) / self.source_to_sample

    def hits(self, points: ArrayLike, directions: ArrayLike) -> Float64:
        """Give row and column (..., 2) where rays from points (..., 3) in mm along directions (..., 3) arrive.

        NaN for a ray that never does.
        """
        points, directions = np.asarray(points, np.float64), np.asarray(directions, np.float64)
        normal, across, up = self.axes.T
        place = np.array([self.sample_to_detector, 0.0, 0.0])
        ahead = directions @ normal
        with np.errstate(divide="ignore", invalid="ignore"):
            length = ((place - points) @ normal) / ahead
        length = np.where((ahead > 0.0) & (length > 0.0), length, np.nan)
        offset = points + length[..., None] * directions - place
        row, column = self.centre
        return np.stack([row - offset @ up / self.pixel, column - offset @ across / self.pixel], axis=-1)

    def shadowed(self) -> np.ndarray:
        """Give the pixels (row, column) behind the beam stop."""
        mask = np.zeros(self.shape, dtype=bool)
        if self.beam_stop is not None:
            top, bottom, left, right = self.beam_stop
            mask[top:bottom, left:right] = True
        return mask


class Scintillator(BaseModel):
    """A layer that turns X-rays into light.

    Attributes
    ----------
    material
        Of the layer.
    thickness
        In µm.
    swank
        Share of the information that is left after the spread of light pulses (Swank factor).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    material: Material = CAESIUM_IODIDE
    thickness: PositiveFloat = 150.0
    swank: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9

    def efficiency(self, energies: Float64) -> Float64:
        """Give the detective quantum efficiency (energy,) at energies in keV: (1 - exp(-mu t)) times Swank's factor."""
        depth = attenuation(self.material, np.asarray(energies, np.float64)) * self.thickness * 1e-4
        return (1.0 - np.exp(-depth)) * self.swank


class Instrument(BaseModel):
    """Everything about a projection that is not the sample.

    Attributes
    ----------
    geometry, tube, scintillator
        See there.
    exposure
        Seconds per projection.
    source_size
        Full width at half maximum of the source in µm.
    blur
        Standard deviation in px of the detector's point spread, besides the pixel itself.
    energies
        Range in keV in which photons count.
    lorentz
        ``laue``: integrated intensity of a still crystal in a white beam, r_e² λ³ E I(E) P |F|² V / (2 V_cell² sin² θ),
        in photons. ``rotation``: the factor 1 / sin 2θ of a turning crystal with the flux of a band of `bandwidth`, as
        Fang et al., Acta Cryst. A76 (2020), 652 take it.
    bandwidth
        Width in keV of the band whose flux counts with ``rotation``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    geometry: Geometry = Geometry()
    tube: TungstenTube | TabulatedSpectrum = TungstenTube()
    scintillator: Scintillator = Scintillator()
    exposure: PositiveFloat = 600.0
    source_size: NonNegativeFloat = 5.0
    blur: NonNegativeFloat = 0.7
    energies: tuple[PositiveFloat, PositiveFloat] = (13.0, 138.0)
    lorentz: Literal["laue", "rotation"] = "laue"
    bandwidth: PositiveFloat = 2.55

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.energies[0] < self.energies[1]:
            raise ValueError(f"energies are {self.energies} keV, expected the lower one first")
        return self

    @classmethod
    def named(cls, name: str) -> Self:
        """Give a preset: see `INSTRUMENTS`.

        Raises
        ------
        InputError
            Naming the nearest there is.
        """
        if name not in _PRESETS:
            raise one_of("instrument", name, _PRESETS)
        return cls.model_validate(_PRESETS[name])


# Distances, pixels and beam stops of the simulation and the first four experiments are those of the public model of
# Fang et al. 2020 and of Fang et al., IUCrJ 8 (2021), 719; the flux falls with the square of the distance. Far field:
# Zhang & Lindkvist, J. Appl. Cryst. 58 (2025), from its file of parameters, whose rows and columns count from 1; its
# angles turn the other way in our frame (ω = -180° + 3° (i - 1) for image i), as spots of 40 grains say.
_STOP = (644, 1388, 644, 1388)


def _preset(source: float, detector: float, stop: tuple[int, int, int, int]) -> dict[str, object]:
    geometry = Geometry(source_to_sample=source, sample_to_detector=detector, beam_stop=stop)
    return {"geometry": geometry, "tube": TungstenTube(flux=5e8 * (11.0 / source) ** 2)}


_PRESETS: dict[str, dict[str, object]] = {
    "simulation-11-11": _preset(11.0, 11.0, _STOP),
    "experiment-13-13": _preset(13.0, 13.0, _STOP),
    "experiment-14-14": _preset(13.96, 14.01, (585, 1460, 585, 1460)),
    "experiment-11-18": _preset(11.0, 18.0, (570, 1481, 544, 1459)),
    "experiment-11-30": _preset(11.0, 30.0, (567, 1443, 579, 1466)),
    "far-field-iron": {
        "geometry": Geometry(
            source_to_sample=100.0,
            sample_to_detector=99.9693192,
            pixel_size=68.334,
            shape=(1024, 1024),
            beam_centre=(511.0772378, 511.66814379),
            tilts=(-0.013483, 2.061804, -0.241950),
            beam_stop=(419, 610, 419, 610),
        ),
        "tube": TungstenTube(voltage=110.0, flux=5e8 * (11.0 / 100.0) ** 2),
        "energies": (15.0, 110.0),
    },
}
INSTRUMENTS = tuple(_PRESETS)
"""Names of the preset instruments: simulation or experiment, source to sample and sample to detector in mm."""


def projection_angles(stack: xr.DataArray, omegas: ArrayLike | None = None) -> Float64:
    """Give the rotation angle in degrees of every projection of a stack.

    Parameters
    ----------
    stack
        Projections (channel, y, x).
    omegas
        The angles; by default those that the stack's channels carry.

    Raises
    ------
    InputError
        If neither is there, the numbers differ, or an angle is no number.
    """
    if omegas is None:
        if "omega" not in stack.coords:
            raise InputError(
                f"the stack of {stack.sizes['channel']} projections carries no rotation angles (omega); give the list "
                "of angles in degrees, one for each projection"
            )
        omegas = stack.coords["omega"].values
    angles = np.asarray(omegas, dtype=np.float64).ravel()
    if len(angles) != stack.sizes["channel"]:
        raise InputError(
            f"{len(angles)} rotation angles (omega) were given for a stack of {stack.sizes['channel']} projections; "
            "give one angle in degrees for each projection"
        )
    if not np.isfinite(angles).all():
        bad = int(np.flatnonzero(~np.isfinite(angles))[0])
        raise InputError(f"the rotation angle (omega) of projection {bad} is {angles[bad]}, expected degrees")
    return angles
