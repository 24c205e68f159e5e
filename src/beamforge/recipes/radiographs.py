"""Transmissions of radiographs, with or without a black-body grid."""

from __future__ import annotations

from typing import Self

import numpy as np
import xarray as xr
from pydantic import Field, NonNegativeInt, model_validator
from scipy.ndimage import median_filter

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.io import open_stack
from beamforge.recipes.places import Places
from beamforge.recipes.settings import Settings
from beamforge.reduction import Region, combined, dark_corrected, transmission
from beamforge.reduction.black_body import PolynomialField
from beamforge.reduction.scatter import SampleScatter, corrected_transmission, pixel_response
from beamforge.stack import as_stack

_SPOT = 5
"""Side in px of the median that takes gamma spots out of the open beam before the pixels' response is read off."""


class TransmissionChannel(Settings):
    """One transmission: a frame over its reference, both by their names in ``frames``."""

    mode: str
    sample: str
    reference: str


class BlackBodySettings(Settings):
    """Frames taken again with a grid of black bodies, which tell the scattered neutrons.

    A frame named in ``scatterers`` scatters beyond the frame named there (the filled container beyond the empty one);
    its field is that of a scattering sample (`SampleScatter`). The others' are smooth (`PolynomialField`).
    """

    mask: str
    """Image that is not 0 well inside the dots."""
    grids: dict[str, str]
    """The frame with the grid, by the name of the frame without."""
    open_beam: str
    """Name of the frame that shows the pixels' response."""
    scatterers: dict[str, str] = Field(default_factory=dict)
    degree: NonNegativeInt = 2


class TransmissionMeasurement(Settings):
    """Radiographs and what to divide by what."""

    frames: dict[str, str] = Field(min_length=2)
    """Raw images by a name."""
    channels: tuple[TransmissionChannel, ...] = Field(min_length=1)
    dark: str | None = None
    dose_region: Region | None = None
    black_body: BlackBodySettings | None = None
    pixel_size: float | None = None  # µm

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        used = [name for channel in self.channels for name in (channel.sample, channel.reference)]
        if self.black_body is not None:
            if self.dose_region is not None:
                raise ValueError("dose_region and black_body do not go together; the grid's frames carry the dose")
            bodies = self.black_body
            used += [bodies.open_beam, *bodies.grids, *bodies.scatterers, *bodies.scatterers.values()]
            missing = [name for name in used if name in self.frames and name not in bodies.grids]
            if missing:
                raise ValueError(f"black_body.grids lacks the frame {missing[0]!r}")
        for name in used:
            if name not in self.frames:
                raise ValueError(f"no frame is named {name!r}; frames are {', '.join(self.frames)}")
        return self

    def radiographs(self, places: Places) -> list[str]:
        """Find the images that will be read."""
        bodies = self.black_body
        further = [] if bodies is None else [bodies.mask, *bodies.grids.values()]
        dark = [] if self.dark is None else [self.dark]
        return [places.find(path) for path in (*self.frames.values(), *dark, *further)]

    def reduce(self, places: Places) -> xr.DataArray:
        """Compute the transmissions.

        Raises
        ------
        InputError
            For files that cannot be read, sizes that differ, and what the reduction refuses.
        """
        if self.black_body is not None:
            images = _ScatterCorrected(self, self.black_body, places).transmissions()
        else:
            images = self._plain(places)
        names = [{"mode": channel.mode} for channel in self.channels]
        return as_stack(images, names, units="1", pixel_size=self.pixel_size)

    def _plain(self, places: Places) -> Float32:
        raw = {name: _read(places, path) for name, path in self.frames.items()}
        dark = None if self.dark is None else _read(places, self.dark)
        parts = [
            transmission(raw[c.sample], raw[c.reference], dark, dose_region=self.dose_region).values[0]
            for c in self.channels
        ]
        return np.stack(parts)


class _ScatterCorrected:
    """Transmissions without the scattered neutrons that a black-body grid tells."""

    def __init__(self, settings: TransmissionMeasurement, bodies: BlackBodySettings, places: Places) -> None:
        self.settings = settings
        self.bodies = bodies
        dark = None if settings.dark is None else np.asarray(_read(places, settings.dark))
        self.mask = _read(places, bodies.mask)[0]
        beam = self._signal(places, settings.frames[bodies.open_beam], dark)
        # Scatter is seen by the same pixels as the beam: all frames are brought to an even response first.
        self.response = pixel_response(median_filter(beam, _SPOT))
        self.frames = {n: self._signal(places, path, dark) / self.response for n, path in settings.frames.items()}
        self.grids = {n: self._signal(places, path, dark) / self.response for n, path in bodies.grids.items()}
        self.fields: dict[str, Float32] = {}

    @staticmethod
    def _signal(places: Places, path: str, dark: np.ndarray | None) -> Float32:
        signal: Float32 = dark_corrected(combined(_read(places, path), path)[None], dark, path)[0]
        return signal

    def transmissions(self) -> Float32:
        """Compute all channels (channel, y, x)."""
        return np.stack([
            corrected_transmission(
                self.frames[c.sample], self.frames[c.reference], self._field(c.sample), self._field(c.reference)
            )
            for c in self.settings.channels
        ])  # fmt: skip

    def _field(self, name: str) -> Float32:
        if name not in self.fields:
            self.fields[name] = (
                self._scatter(name) if name in self.bodies.scatterers else self._smooth(name).of(self.frames[name])
            )
        return self.fields[name]

    def _smooth(self, name: str) -> PolynomialField:
        return PolynomialField.fit(self.grids[name], self.mask, self.bodies.degree)

    def _scatter(self, name: str) -> Float32:
        reference = self.bodies.scatterers[name]
        if reference in self.bodies.scatterers:
            raise InputError(f"black_body.scatterers: {reference!r} is the reference of {name!r} and scatters itself")
        fitted = SampleScatter.fit(
            self.frames[name],
            self.frames[reference],
            self.grids[name],
            self.grids[reference],
            self.mask,
            self._smooth(reference),
        )
        return fitted.of(self.frames[name], self.frames[reference], self._field(reference))


def _read(places: Places, path: str) -> np.ndarray:
    return np.asarray(open_stack(places.find(path)).values)
