"""Least-squares analysis of phase-stepped fringes, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError

_LARGEST_CONDITION = 100.0
"""Beyond this the steps tell the fringe's parameters apart so badly that noise grows a hundredfold."""


@dataclass(frozen=True)
class Fringes:
    """Parameters of ``I(step) = H0 + H1 cos(step - phase)`` in each pixel, float32 (y, x).

    Attributes
    ----------
    h0
        Mean intensity, in the unit of the frames.
    h1
        Amplitude, in the unit of the frames, never negative. Noise biases it upwards where it is small.
    phase
        In radians, from -pi to pi.
    """

    h0: Float32
    h1: Float32
    phase: Float32


def checked_steps(steps: ArrayLike, count: int) -> Float64:
    """Take phase steps as an array, refusing those that cannot be analysed.

    Parameters
    ----------
    steps
        In radians, (step,).
    count
        How many frames there are.

    Raises
    ------
    InputError
        If there are fewer than three, or as many different ones, or not one for each frame.
    """
    values = np.asarray(steps, dtype=np.float64)
    if values.shape != (count,):
        raise InputError(f"{values.size} phase steps were given for {count} frames, expected one for each")
    if not np.isfinite(values).all():
        raise InputError("a phase step is not finite; leave the steps out to have them estimated")
    if count < 3:
        raise InputError(f"{count} phase steps were given, at least 3 are needed for H0, H1 and phase")
    condition = float(np.linalg.cond(design(values)))
    if condition > _LARGEST_CONDITION:
        raise InputError(
            f"the phase steps {np.round(values, 3).tolist()} rad do not tell H0, H1 and phase apart (condition "
            f"{condition:.3g}); they should spread over a period. Are they in degrees?"
        )
    return values


def design(steps: Float64) -> Float64:
    """Give the matrix (step, 3) with the columns 1, sin, cos."""
    return np.stack([np.ones_like(steps), np.sin(steps), np.cos(steps)], axis=1)


def fit_fringes(frames: NDArray[np.generic], steps: ArrayLike) -> Fringes:
    """Fit ``c0 + c1 sin(step) + c2 cos(step)`` to every pixel by least squares.

    H0 = c0, H1 = sqrt(c1² + c2²), phase = atan2(c1, c2). The steps may be unequal and in any order.

    Parameters
    ----------
    frames
        Dark-corrected (step, y, x).
    steps
        Phase of each frame in radians, (step,).

    Raises
    ------
    InputError
        If the steps do not fit the frames or cannot tell the parameters apart.
    """
    if frames.ndim != 3:
        raise InputError(f"the fringe frames have the shape {frames.shape}, expected (step, y, x)")
    values = checked_steps(steps, len(frames))
    solve = np.linalg.pinv(design(values)).astype(np.float32)
    c0, c1, c2 = np.tensordot(solve, frames.astype(np.float32, copy=False), axes=(1, 0))
    return Fringes(h0=c0, h1=np.hypot(c1, c2), phase=np.arctan2(c1, c2))
