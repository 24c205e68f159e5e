"""Transmission of a radiograph: dark current, open beam, dose."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict

from beamforge.errors import InputError
from beamforge.reduction.frames import check_size, clipped_pixels, combined, dark_corrected, saturation_of
from beamforge.reduction.region import Region
from beamforge.stack import as_stack


class TransmissionReport(BaseModel):
    """How many pixels of a transmission image were not as they should be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    invalid: int
    """NaN in the result: the open beam is not positive, or the camera clipped the sample or the open beam."""
    open_beam_not_positive: int
    sample_not_positive: int
    saturated: int
    below_limit: int
    """Set to the lower limit."""
    above_limit: int
    """Set to the upper limit."""


def transmission(
    sample: ArrayLike,
    open_beam: ArrayLike,
    dark: ArrayLike | None = None,
    *,
    dose_region: Region | None = None,
    limits: tuple[float, float] | None = None,
    saturation: float | None = None,
) -> xr.DataArray:
    """Divide a radiograph by the open beam.

    Parameters
    ----------
    sample, open_beam, dark
        Raw frames (y, x), or repeats (repeat, y, x), of which the median counts.
    dose_region
        An area of open beam in both; the sample is scaled to the dose of the open beam there.
    limits
        Lowest and highest value of the result; what lies outside is set to them, and counted. By default nothing is.
    saturation
        The highest value the camera gives; by default that of the integer type.

    Returns
    -------
    A stack of one channel ``transmission``, float32, NaN where invalid; the counts of `TransmissionReport` are in
    ``attrs["report"]``.

    Raises
    ------
    InputError
        If sizes differ, the dark current is as bright as the open beam, the open beam is zero everywhere or the dose
        region holds no beam.
    """
    raw, raw_flat = combined(sample, "sample"), combined(open_beam, "open beam")
    check_size(raw, raw_flat, "sample", "open beam")
    # Where repeats are combined, it is the combination that counts: a white spot in one of them does no harm.
    saturated = clipped_pixels(raw, saturation_of(sample, saturation))
    saturated |= clipped_pixels(raw_flat, saturation_of(open_beam, saturation))
    flat = dark_corrected(raw_flat, dark, "open beam")
    signal = dark_corrected(raw, dark, "sample", expect_beam=False)
    if not (flat > 0.0).any():
        raise InputError("the open beam is not positive anywhere; is it the right file?")
    scale = 1.0 if dose_region is None else float(dose_region.dose(flat) / dose_region.dose(signal))
    ratio = np.full(flat.shape, np.nan, np.float32)
    np.divide(signal * np.float32(scale), flat, out=ratio, where=(flat > 0.0) & ~saturated)
    low, high = limits if limits is not None else (-np.inf, np.inf)
    if not low < high:
        raise InputError(f"the limits of the transmission are {low:g} and {high:g}, expected a lower and a higher one")
    report = TransmissionReport(
        invalid=int((~np.isfinite(ratio)).sum()),
        open_beam_not_positive=int((~(flat > 0.0)).sum()),
        sample_not_positive=int((~(signal > 0.0)).sum()),
        saturated=int(saturated.sum()),
        below_limit=int((ratio < low).sum()),
        above_limit=int((ratio > high).sum()),
    )
    clipped = ratio.clip(low, high).astype(np.float32)
    return as_stack(clipped, [{"mode": "transmission"}], units="1", report=report.model_dump())
