"""Johnson curves drawn closer to all quantiles of a sample, for any number of samples at once.

Four quantiles leave out most of what a sample says. From their closed-form curve, a few damped Gauss-Newton steps
minimise the squared distance between fitted and wanted probabilities, each weighted by its sampling variance p(1-p):
a minimum-distance fit with the weights of Anderson & Darling, nearly as sharp as maximum likelihood, and as deaf as
quantiles to how far out stray values lie.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from beamforge.arrays import Float64
from beamforge.statistics.johnson.curves import Family, Johnson

_STEPS = 6
_INV_ROOT_TWO_PI = 1.0 / np.sqrt(2.0 * np.pi)
_FREE = {Family.SN: (0, 0, 1, 1), Family.SL: (1, 1, 1, 0), Family.SU: (1, 1, 1, 1), Family.SB: (1, 1, 1, 1)}
"""Which of gamma, eta, epsilon, ln lambda a family has."""


def refine(curves: Johnson, values: ArrayLike, p: ArrayLike, low: ArrayLike, high: ArrayLike) -> Johnson:
    """Move curves towards quantiles; each keeps its family, and never moves away.

    Parameters
    ----------
    curves
        Starting curves of shape (...); those with NaN stay as they are.
    values
        (..., n) quantiles.
    p
        (n,) their probabilities, between 0 and 1.
    low, high
        (...) range of each sample: bounded curves keep it inside their support.
    """
    shape = curves.shape
    wanted = np.asarray(p, np.float64)
    x = np.asarray(values, np.float64).reshape(-1, wanted.size)
    ends = np.stack([np.broadcast_to(np.asarray(v, np.float64), shape).ravel() for v in (low, high)], axis=1)
    flat = curves.reshaped((-1,))
    weight = 1.0 / np.sqrt(wanted * (1.0 - wanted))
    free = np.array([_FREE[Family(code)] for code in range(4)], dtype=bool)[flat.family]
    damping = np.full(x.shape[0], 1e-3)
    residual = _residual(flat, x, wanted, weight, ends)
    for _ in range(_STEPS):
        step = _step(flat, x, weight, free, residual, damping)
        moved = _moved(flat, step, ends)
        after = _residual(moved, x, wanted, weight, ends)
        better = (after**2).sum(1) < (residual**2).sum(1)
        flat = moved.where(better, flat)
        residual = np.where(better[:, None], after, residual)
        damping = np.where(better, 0.1 * damping, 10.0 * damping)
    return flat.reshaped(shape)


def _moved(curves: Johnson, step: Float64, ends: Float64) -> Johnson:
    """Take a step; an end of a bounded curve that would cut data off stays where it was."""
    bottom = curves.epsilon + step[:, 2]
    lambda_ = curves.lambda_ * np.exp(np.clip(step[:, 3], -1.0, 1.0))
    bounded = curves.family == Family.SB
    top = np.where(bottom + lambda_ <= ends[:, 1], curves.epsilon + curves.lambda_, bottom + lambda_)
    held = np.where(bottom >= ends[:, 0], curves.epsilon, bottom)
    epsilon, lambda_ = np.where(bounded, held, bottom), np.where(bounded, top - held, lambda_)
    return Johnson.of(curves.family, curves.gamma + step[:, 0], curves.eta + step[:, 1], epsilon, lambda_)


def _residual(curves: Johnson, x: Float64, p: Float64, weight: Float64, ends: Float64) -> Float64:
    """Weighted distances in probability; infinite where a curve turned around or leaves the range out."""
    outside = ~np.isfinite(curves.to_normal(ends)).all(axis=1) | ~(curves.eta * np.sign(curves.lambda_) > 0)
    distance = (ndtr(curves.to_normal(x)) - p) * weight
    return np.where(outside[:, None], np.inf, distance)


def _step(
    curves: Johnson, x: Float64, weight: Float64, free: NDArray[np.bool_], residual: Float64, damping: Float64
) -> Float64:
    """Damped Gauss-Newton step (curve, 4) in gamma, eta, epsilon and ln lambda."""
    family, eta, lambda_ = curves.family[:, None], curves.eta[:, None], curves.lambda_[:, None]
    u = (x - curves.epsilon[:, None]) / lambda_
    z = curves.to_normal(x)
    tau = (z - curves.gamma[:, None]) / eta
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.select(
            [family == Family.SN, family == Family.SL, family == Family.SU],
            [np.ones_like(u), 1.0 / u, 1.0 / np.sqrt(1.0 + u * u)],
            1.0 / (u * (1.0 - u)),
        )
        density = (_INV_ROOT_TWO_PI * weight) * np.exp(-0.5 * z * z)
        columns = [density, density * tau, -density * eta * slope / lambda_, -density * eta * slope * u]
    jacobian = np.stack(columns, axis=2) * free[:, None, :]
    # A curve that does not hold its range, or was never fitted, has nothing to improve on.
    sound = np.isfinite(residual).all(axis=1) & np.isfinite(jacobian).all(axis=(1, 2))
    jacobian = np.where(sound[:, None, None], jacobian, 0.0)
    normal = np.einsum("nki,nkj->nij", jacobian, jacobian)
    scale = np.einsum("nii->ni", normal)
    normal += np.eye(4) * np.where(scale > 0, damping[:, None] * scale, 1.0)[:, None, :]
    gradient = np.einsum("nki,nk->ni", jacobian, np.where(sound[:, None], residual, 0.0))
    return np.asarray(-np.linalg.solve(normal, gradient[..., None])[..., 0])
