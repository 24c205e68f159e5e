"""Phase steps that are not known, estimated from the fringe frames themselves.

In every pixel ``I(k) = A + C cos(d_k) + S sin(d_k)`` with its own A, C and S, so for steps d the best A, C and S are
linear and the sum of squares that remains is ``trace[(1 - P(d)) G]``: P projects onto the columns 1, cos d, sin d, and
G = sum over pixels of the outer product of the pixel's K values. G is K×K and made once from as many pixels as one
likes; what is left is a fit of K - 1 angles (variable projection; Golub & Pereyra 1973). Nothing is assumed about the
background, the visibility or the spread of the phases over the field, unlike in the iterations of Wang & Han 2004.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.reduction.fringes import design

_MOST_PIXELS = 50_000
_LEAST_CONTRAST = 2.0
"""How much stronger than noise the weaker of the fringe's two components must be."""
_OUTLIER = 20.0
"""Residual sum of squares over its median beyond which a pixel (a white spot) does not count."""


@dataclass(frozen=True)
class StepEstimate:
    """Estimated phase steps.

    Attributes
    ----------
    steps
        In radians from -pi to pi, (step,). The first is 0, since only differences can be known; and all signs may be
        wrong together, as fringes that run one way and steps that run the other look the same. The second is taken to
        be positive unless a guess says otherwise. H0, H1 and DF do not depend on either.
    residual
        Root mean square of what the fit leaves, in the unit of the frames.
    """

    steps: Float64
    residual: float


def wrapped(angles: ArrayLike) -> Float64:
    """Bring angles in radians between -pi and pi; -pi becomes pi."""
    return np.asarray(np.pi - np.remainder(np.pi - np.asarray(angles, dtype=np.float64), 2.0 * np.pi))


def estimate_steps(frames: NDArray[np.generic], guess: ArrayLike | None = None) -> StepEstimate:
    """Estimate the phase steps, equal or not.

    Parameters
    ----------
    frames
        Dark-corrected (step, y, x), at least five, whose fringes vary over the field. Of large frames an even grid of
        pixels is used.
    guess
        Nominal steps in radians; they settle the sign.

    Raises
    ------
    InputError
        If there are fewer than five frames (four leave more than one solution), or no fringes, or fringes of the same
        phase everywhere.
    """
    count = len(frames)
    if frames.ndim != 3 or count < 5:
        raise InputError(f"{count} frames were given; unknown phase steps need at least 5, or give the steps")
    values = _some_pixels(frames)
    steps, residuals = _solve(values, guess)
    # Weak white spots are seen only now: leave out the pixels they hit and solve again.
    keep = residuals <= _OUTLIER * np.median(residuals)
    steps, residuals = _solve(values[:, keep], guess)
    steps = wrapped(steps - steps[0])
    flip = steps[1] < 0.0 if guess is None else _is_mirrored(steps, np.asarray(guess, dtype=np.float64))
    dof = max(1, residuals.size * (count - 3))
    return StepEstimate(steps=-steps if flip else steps, residual=float(np.sqrt(residuals.sum() / dof)))


def _some_pixels(frames: NDArray[np.generic]) -> Float64:
    """Take finite pixels on an even grid, (step, pixel) in float64, without bright white spots."""
    stride = max(1, int(np.ceil(np.sqrt(frames[0].size / _MOST_PIXELS))))
    values = frames[:, ::stride, ::stride].reshape(len(frames), -1).astype(np.float64)
    values = values[:, np.isfinite(values).all(axis=0)]
    spread = np.ptp(values, axis=0)
    return values[:, spread <= 2.0 * np.quantile(spread, 0.9)]


def _solve(values: Float64, guess: ArrayLike | None) -> tuple[Float64, Float64]:
    """Estimate the steps from pixels (step, pixel); also give each pixel's residual sum of squares."""
    gram = values @ values.T
    count = len(values)
    starts = [_start(gram, values.shape[1])]
    if guess is not None:
        starts.append(np.asarray(guess, dtype=np.float64))
    # A poor start can trap the fit; equal steps are cheap to try as well.
    starts.append(2.0 * np.pi * np.arange(count) / count)
    root = np.linalg.cholesky(gram + 1e-12 * np.trace(gram) * np.eye(count))

    def remainder(free: Float64) -> Float64:
        basis, _ = np.linalg.qr(design(np.concatenate([[0.0], free])))
        return np.asarray((root - basis @ (basis.T @ root)).ravel())

    fits = [least_squares(remainder, wrapped(start - start[0])[1:], xtol=1e-12, ftol=1e-14) for start in starts]
    best = min(fits, key=lambda fit: float(fit.cost))
    steps = np.concatenate([[0.0], best.x])
    basis, _ = np.linalg.qr(design(steps))
    left = values - basis @ (basis.T @ values)
    return steps, np.einsum("kp,kp->p", left, left)


def _start(gram: Float64, pixels: int) -> Float64:
    """Give first angles: the two strongest components of the frames' differences lie on an ellipse around a centre.

    Raises
    ------
    InputError
        If there are no two components above the noise.
    """
    count = len(gram)
    centring = np.eye(count) - 1.0 / count
    strengths, vectors = np.linalg.eigh(centring @ gram @ centring)
    noise = strengths[1:-2].mean() if count > 3 else 0.0
    if not (strengths[-2] > _LEAST_CONTRAST * noise and strengths[-2] > 1e-9 * np.trace(gram)):
        raise InputError(
            f"the frames ({pixels} pixels looked at) hold no fringes whose phase varies over the field, so the phase "
            "steps cannot be estimated from them; give the steps"
        )
    points = vectors[:, -2:] / np.abs(vectors[:, -2:]).max(axis=0)
    # Circle through the points by linear least squares: x² + y² = 2 x cx + 2 y cy + c.
    matrix = np.column_stack([2.0 * points, np.ones(count)])
    centre = np.linalg.lstsq(matrix, (points**2).sum(axis=1), rcond=None)[0][:2]
    x, y = (points - centre).T
    return np.asarray(np.arctan2(y, x))


def _is_mirrored(steps: Float64, guess: Float64) -> bool:
    """Tell whether the steps agree better with a guess when all signs are turned."""
    if guess.shape != steps.shape:
        raise InputError(f"{guess.size} nominal steps were given for {steps.size} frames, expected one for each")
    agreement = [abs(np.exp(1j * (sign * steps - guess)).sum()) for sign in (1.0, -1.0)]
    return bool(agreement[1] > agreement[0])
