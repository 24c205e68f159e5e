"""Raw frames: dark current, repeated exposures, pixels the camera clipped."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beamforge.arrays import Float32
from beamforge.errors import InputError


def checked_frames(frames: ArrayLike, name: str) -> NDArray[Any]:
    """Take frames as an array (..., y, x), refusing what cannot be frames.

    Raises
    ------
    InputError
        If there are no pixels, or the values are no numbers.
    """
    array = np.asarray(frames)
    if array.ndim < 2 or not array.size:
        raise InputError(f"{name} has the shape {array.shape}, expected (y, x) or (frame, y, x)")
    if array.dtype.kind not in "uif":
        raise InputError(f"{name} holds {array.dtype} values, expected numbers")
    return array


def check_size(frames: NDArray[Any], other: NDArray[Any], name: str, other_name: str) -> None:
    """Refuse frames of another size.

    Raises
    ------
    InputError
        Naming both sizes.
    """
    if frames.shape[-2:] != other.shape[-2:]:
        ours, theirs = ("×".join(map(str, array.shape[-2:])) for array in (frames, other))
        raise InputError(f"{other_name} is {theirs} but {name} is {ours} (y, x); crop or pad one of them")


def combined(frames: ArrayLike, name: str = "frames") -> Float32:
    """Combine repeated exposures of one thing by their median, which white spots hardly move.

    Parameters
    ----------
    frames
        (y, x), or (repeat, y, x); of two the smaller value is taken, as spots only add.
    name
        What to call them in errors.

    Returns
    -------
    float32 (y, x).
    """
    array = checked_frames(frames, name)
    if array.ndim == 2:
        return array.astype(np.float32)
    if array.ndim != 3:
        raise InputError(f"{name} has the shape {array.shape}, expected (y, x) or (repeat, y, x)")
    middle: Float32 = (array.min(axis=0) if len(array) == 2 else np.median(array, axis=0)).astype(np.float32)
    return middle


def dark_corrected(
    frames: ArrayLike, dark: ArrayLike | None, name: str = "frames", *, expect_beam: bool = True
) -> Float32:
    """Subtract the dark current.

    Parameters
    ----------
    frames
        (..., y, x).
    dark
        (y, x) or repeats (repeat, y, x), of which the median counts; None if already subtracted.
    name
        What to call the frames in errors.
    expect_beam
        Whether most pixels must be brighter than the dark current; behind an opaque sample they need not be.

    Returns
    -------
    float32 (..., y, x), which may be negative.

    Raises
    ------
    InputError
        If the sizes differ, or the dark current is at least as bright as the beam: the files may have been swapped.
    """
    array = checked_frames(frames, name)
    if dark is None:
        return array.astype(np.float32)
    level = combined(dark, "dark current")
    check_size(array, level, name, "dark current")
    corrected = array.astype(np.float32) - level
    if expect_beam and not _middle(corrected) > 0.0:
        raise InputError(
            f"the dark current (median {_middle(level):g}) is as bright as {name} (median {_middle(array):g}) or "
            "brighter; were the files swapped?"
        )
    return corrected


def _middle(frames: NDArray[Any]) -> float:
    """Median of at most about 1000×1000 pixels of each frame on an even grid: enough to compare brightness."""
    stride = -(-max(frames.shape[-2:]) // 1000)
    return float(np.median(frames[..., ::stride, ::stride]))


def saturation_of(frames: ArrayLike, saturation: float | None = None) -> float:
    """Give the highest value a camera can have written: as stated, or that of the integer type; infinity for floats."""
    kind = np.asarray(frames).dtype
    if saturation is not None:
        return saturation
    return float(np.iinfo(kind).max) if kind.kind in "ui" else np.inf


def clipped_pixels(frames: ArrayLike, saturation: float) -> NDArray[np.bool_]:
    """Mark the pixels that reach the camera's highest value in any frame.

    Parameters
    ----------
    frames
        Raw (y, x) or (frame, y, x).
    saturation
        The highest value the camera gives.

    Returns
    -------
    Mask (y, x).
    """
    clipped = np.asarray(frames) >= saturation
    return np.asarray(clipped.reshape(-1, *clipped.shape[-2:]).any(axis=0))
