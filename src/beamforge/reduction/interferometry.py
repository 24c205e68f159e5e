"""From the phase-stepped frames of a grating interferometer to H0, H1, dark field and phase."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamforge.arrays import Float32
from beamforge.errors import InputError, one_of
from beamforge.reduction.dark_field import dark_field
from beamforge.reduction.frames import check_size, checked_frames, clipped_pixels, dark_corrected, saturation_of
from beamforge.reduction.fringes import Fringes, fit_fringes
from beamforge.reduction.phase_steps import estimate_steps, wrapped
from beamforge.reduction.region import Region
from beamforge.stack import as_stack

Mode = Literal["H0", "H1", "DF", "phase"]
DEFAULT_MODES: tuple[Mode, ...] = ("H0", "H1", "DF")


@dataclass(frozen=True)
class PhaseScan:
    """The frames of one phase stepping.

    Attributes
    ----------
    frames
        Raw (step, y, x), NumPy or anything `numpy.asarray` computes, such as dask.
    steps
        Phase of each frame in radians; None has them estimated from the frames (see `estimate_steps`).
    monitor
        Counts of a beam monitor during each frame, which its dose is taken from; None if the dose was constant.
    """

    frames: ArrayLike
    steps: ArrayLike | None = None
    monitor: ArrayLike | None = None


@dataclass(frozen=True)
class FringeMeasurement:
    """What one autocorrelation length (or wavelength) needs: scans with the sample and of the open beam, and the dark.

    ``dark`` is (y, x) or repeats (repeat, y, x).
    """

    sample: PhaseScan
    open_beam: PhaseScan | None = None
    dark: ArrayLike | None = None


def reduce_fringes(
    measurement: FringeMeasurement,
    *,
    modes: Sequence[str] = DEFAULT_MODES,
    dose_region: Region | None = None,
    saturation: float | None = None,
    **numbers: float,
) -> xr.DataArray:
    """Reduce the frames of one autocorrelation length.

    With an open beam, H0 and H1 are relative to its own (H0 is then the transmission), DF is -ln(H1/H0) of the two
    relative ones and the phase is the difference; without one, H0 and H1 are in the unit of the frames.

    Parameters
    ----------
    measurement
        The frames.
    modes
        Which of ``H0``, ``H1``, ``DF`` and ``phase`` to give, in order.
    dose_region
        An area of open beam in the sample's frames: H0 and H1 are scaled so that H0 equals the open beam's there.
    saturation
        The highest value the camera gives; by default that of the integer type.
    **numbers
        Channel coordinates, such as ``autocorrelation_length`` in nm.

    Returns
    -------
    float32 stack, one channel for each mode. Pixels are NaN where the camera clipped a frame, where H0 or H1 is not
    positive (in DF), or that of the open beam is not (everywhere); ``attrs["report"]`` counts them.

    Raises
    ------
    InputError
        For sizes that differ, a dark current as bright as the frames, an H0 that is positive nowhere, phase steps
        that do not suit.
    """
    check_modes(modes)
    alone = measurement.open_beam is None
    sample = _analysed(measurement.sample, measurement.dark, "the sample", expect_beam=alone)
    clipped = _clipped(measurement.sample, saturation)
    open_beam = None
    if measurement.open_beam is not None:
        check_size(
            checked_frames(measurement.sample.frames, "the sample"),
            checked_frames(measurement.open_beam.frames, "the open beam"),
            "the sample",
            "the open beam",
        )
        open_beam = _analysed(measurement.open_beam, measurement.dark, "the open beam", expect_beam=True)
        clipped = clipped | _clipped(measurement.open_beam, saturation)
    elif dose_region is not None:
        raise InputError("a dose region was given but no open beam, whose dose it refers to; give both or neither")
    images = _images(sample, open_beam, modes, dose_region)
    images[:, clipped] = np.nan
    report = {
        "invalid": dict(zip(modes, (~np.isfinite(images)).sum(axis=(1, 2)).tolist(), strict=True)),
        "h0_not_positive": int((~(sample.h0 > 0.0)).sum()),
        "saturated": int(clipped.sum()),
    }
    if open_beam is not None:
        report["open_beam_not_positive"] = int((~(open_beam.h0 > 0.0) | ~(open_beam.h1 > 0.0)).sum())
    return as_stack(images, [{"mode": mode, **numbers} for mode in modes], report=report)


def check_modes(modes: Sequence[str]) -> None:
    """Refuse modes that fringes do not have.

    Raises
    ------
    InputError
        Naming the nearest mode there is.
    """
    for mode in modes:
        if mode not in get_args(Mode):
            raise one_of("mode", mode, get_args(Mode))
    if not modes or len(set(modes)) != len(modes):
        raise InputError(f"the modes are {list(modes)}, expected one or more different ones")


def _clipped(scan: PhaseScan, saturation: float | None) -> NDArray[np.bool_]:
    return clipped_pixels(scan.frames, saturation_of(scan.frames, saturation))


def _analysed(scan: PhaseScan, dark: ArrayLike | None, name: str, *, expect_beam: bool) -> Fringes:
    frames = dark_corrected(scan.frames, dark, name, expect_beam=expect_beam)
    if scan.monitor is not None:
        frames = frames * _scales(scan.monitor, len(frames), name)
    steps = estimate_steps(frames).steps if scan.steps is None else scan.steps
    return fit_fringes(frames, steps)


def _scales(monitor: ArrayLike, count: int, name: str) -> Float32:
    """Give the factor (step, 1, 1) that brings each frame to the mean dose of all."""
    doses = np.asarray(monitor, dtype=np.float64)
    if doses.shape != (count,) or not (doses > 0.0).all():
        raise InputError(
            f"the monitor of {name} reads {doses.tolist()}, expected a positive number for each of {count} frames"
        )
    scales: Float32 = (doses.mean() / doses).astype(np.float32)[:, None, None]
    return scales


def _images(
    sample: Fringes, open_beam: Fringes | None, modes: Sequence[str], dose_region: Region | None
) -> NDArray[np.float32]:
    """Stack the modes (mode, y, x)."""
    dark = dark_field(sample, open_beam)
    if open_beam is None:
        images = {"H0": sample.h0, "H1": sample.h1, "DF": dark, "phase": sample.phase}
        return np.stack([images[mode] for mode in modes])
    scale = 1.0 if dose_region is None else dose_region.dose(open_beam.h0) / dose_region.dose(sample.h0)
    valid = (open_beam.h0 > 0.0) & (open_beam.h1 > 0.0)

    def relative(ours: Float32, theirs: Float32) -> Float32:
        ratio: Float32 = np.full(ours.shape, np.nan, np.float32)
        np.divide(ours * np.float32(scale), theirs, out=ratio, where=valid)
        return ratio

    images = {"H0": relative(sample.h0, open_beam.h0), "H1": relative(sample.h1, open_beam.h1), "DF": dark}
    if "phase" in modes:
        images["phase"] = np.where(valid, wrapped(sample.phase - open_beam.phase), np.nan).astype(np.float32)
    return np.stack([images[mode] for mode in modes])


def reduce_series(
    lengths: Sequence[float],
    load: Callable[[int], FringeMeasurement],
    shape: tuple[int, int],
    *,
    modes: Sequence[str] = DEFAULT_MODES,
    dose_region: Region | None = None,
    saturation: float | None = None,
    **attrs: Any,
) -> xr.DataArray:
    """Reduce a series of autocorrelation lengths lazily, holding the frames of one at a time.

    Parameters
    ----------
    lengths
        Autocorrelation lengths in nm.
    load
        Gives the frames of the length with this number; called when a chunk is computed, each time it is.
    shape
        (y, x) of the frames.
    modes, dose_region, saturation
        See `reduce_fringes`.
    **attrs
        Attributes of the stack, such as ``pixel_size``.

    Returns
    -------
    Stack on dask, one chunk for each length; the channels are the modes of the first length, of the second, ….
    `invalid_pixels` counts what was marked.
    """
    import dask.array
    from dask.delayed import delayed

    check_modes(modes)
    if not len(lengths):
        raise InputError("no autocorrelation length was given")

    def one(position: int) -> NDArray[np.float32]:
        stack = reduce_fringes(load(position), modes=modes, dose_region=dose_region, saturation=saturation)
        reduced: NDArray[np.float32] = stack.values
        if reduced.shape[1:] != tuple(shape):
            raise InputError(f"the frames of {lengths[position]:g} nm are {reduced.shape[1:]}, expected {shape} (y, x)")
        return reduced

    whole = partial(dask.array.from_delayed, shape=(len(modes), *shape), dtype=np.float32)
    blocks = [whole(delayed(one)(position)) for position in range(len(lengths))]
    channels = [{"mode": mode, "autocorrelation_length": float(length)} for length in lengths for mode in modes]
    joined: Any = dask.array.concatenate(blocks)
    return as_stack(joined, channels, **attrs)


def invalid_pixels(stack: xr.DataArray) -> xr.DataArray:
    """Count the pixels of each channel that are marked invalid (NaN), (channel,); lazy for a lazy stack."""
    return stack.isnull().sum(("y", "x"))
