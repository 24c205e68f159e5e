"""Phase-stepped frames in files, reduced to a stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from pydantic import Field, PositiveFloat

from beamforge.errors import InputError
from beamforge.io import open_stack
from beamforge.recipes.places import Places
from beamforge.recipes.settings import Settings
from beamforge.reduction import FringeMeasurement, PhaseScan, Region
from beamforge.reduction.interferometry import DEFAULT_MODES, reduce_series

_LENGTH = "autocorrelation_length"


class ScanSettings(Settings):
    """Phase-stepped frames of one autocorrelation length, or of all those a pattern names."""

    sample: str
    """A file of frames (step, y, x), or a pattern such as ``sample_{phase_step}/{autocorrelation_length}.tif``."""
    open_beam: str | None = None
    """The same without the sample; a pattern where ``sample`` is one."""
    autocorrelation_length: float | None = None  # nm
    """Needed where the pattern does not have it."""
    steps: tuple[float, ...] | None = None  # rad
    """Phase of each frame, in the order of the frames; by default estimated from the frames."""


@dataclass(frozen=True)
class _Scan:
    """The frames of one length, on dask."""

    length: float
    sample: Any
    open_beam: Any
    steps: tuple[float, ...] | None

    def measurement(self, dark: Any) -> FringeMeasurement:
        beam = None if self.open_beam is None else PhaseScan(self.open_beam, self.steps)
        return FringeMeasurement(PhaseScan(self.sample, self.steps), beam, dark)


class FringeSeries(Settings):
    """Phase-stepped frames of a grating interferometer."""

    scans: tuple[ScanSettings, ...] = Field(min_length=1)
    dark: str | None = None
    """Dark frames: a file of one or several, or a pattern."""
    modes: tuple[str, ...] = DEFAULT_MODES
    dose_region: Region | None = None
    pixel_size: PositiveFloat | None = None  # µm

    def frame_files(self, places: Places) -> list[str]:
        """Find the frames that will be read."""
        scans = [path for scan in self.scans for path in (scan.sample, scan.open_beam)]
        return [places.find(path) for path in (*scans, self.dark) if path is not None]

    def reduce(self, places: Places) -> xr.DataArray:
        """Reduce every autocorrelation length, lazily.

        Raises
        ------
        InputError
            For files that cannot be read, a length that is missing or stands twice, and what the reduction refuses.
        """
        scans = [scan for settings in self.scans for scan in _opened(settings, places)]
        lengths = [scan.length for scan in scans]
        twice = sorted({length for length in lengths if lengths.count(length) > 1})
        if twice:
            raise InputError(f"scans: the autocorrelation length {twice[0]:g} nm stands twice; leave one of them out")
        dark = None if self.dark is None else open_stack(places.find(self.dark)).values
        known = {} if self.pixel_size is None else {"pixel_size": self.pixel_size}
        return reduce_series(
            lengths,
            lambda position: scans[position].measurement(dark),
            scans[0].sample.shape[-2:],
            modes=self.modes,
            dose_region=self.dose_region,
            **known,
        )


def _opened(settings: ScanSettings, places: Places) -> list[_Scan]:
    samples = _frames_by_length(settings.sample, settings.autocorrelation_length, places)
    if settings.open_beam is None:
        beams: Mapping[float, Any] = dict.fromkeys(samples)
    else:
        beams = _frames_by_length(settings.open_beam, settings.autocorrelation_length, places)
    missing = [length for length in samples if length not in beams]
    if missing:
        raise InputError(
            f"{settings.open_beam}: there is no open beam of {missing[0]:g} nm, of which {settings.sample} has frames"
        )
    return [_Scan(length, frames, beams[length], settings.steps) for length, frames in samples.items()]


def _frames_by_length(path: str, stated: float | None, places: Places) -> dict[float, Any]:
    """Open frames (step, y, x) by their autocorrelation length in nm."""
    stack = open_stack(places.find(path))
    if stated is not None:
        return {stated: stack.data}
    if _LENGTH not in stack.coords:
        raise InputError(
            f"scans: the {_LENGTH} of {path} is not known; give it beside, or as {{{_LENGTH}}} in a pattern"
        )
    lengths = stack[_LENGTH].values
    return {float(length): stack.data[np.flatnonzero(lengths == length)] for length in dict.fromkeys(lengths.tolist())}
