"""What a user's own open beam and dark images say about the detector.

Photon transfer with correlation: relative to its smooth level m, an open beam has the autocovariance

    C(lag) = b(lag) + a(lag) / m + [lag = 0] r^2 / m^2,

b the fixed pattern of the pixels' response, a the noise of counting and r that of the read-out. Two open beams share
the pattern but not the noise, so their cross-covariance is b. Counting has two parts: neutrons, whose light spreads by
the kernel h, and the few photons of it that each pixel catches by itself,

    a(lag) = k [lag = 0] + g (h * h)(lag),

g being DN per neutron, k DN per photon. Source: Janesick, Photon Transfer (SPIE 2007), for uncorrelated noise; the
division by lags follows from the linearity of the spread.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import minimize, nnls

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError
from beamforge.physics.detector import Detector
from beamforge.physics.fitted_detector import DetectorReport, ExposureNoise, FittedDetector
from beamforge.physics.frame_statistics import (
    Residuals,
    Spots,
    beam_residuals,
    dark_residuals,
    find_spots,
    lag_covariance,
)
from beamforge.physics.gamma_spots import GammaSpots
from beamforge.physics.pixel_response import PixelResponse
from beamforge.physics.spot_fit import fit_spots

_SMOOTH = 15.0
"""Sigma in px above which structure of the open beam is the beam's."""
_REACH = 48
_NEAR = 3
"""Lags up to which the noise of counting is told; light spreads no farther than two or three pixels."""

_READ_REACH = 6
"""Lags in px up to which pixels share noise of the read-out; the outer half is tapered when it is simulated."""

Frame = NDArray[Any]


def fit_detector(
    open_beams: Sequence[ArrayLike],
    darks: Sequence[ArrayLike],
    seconds: Sequence[float],
    dark_seconds: Sequence[float],
    rng: Generator,
) -> FittedDetector:
    """Estimate a detector from its open beam and dark images.

    Parameters
    ----------
    open_beams
        One or more raw frames (y, x) in DN. Two or more, at any exposure times, tell noise from the pixels' response;
        from one alone only the part of the noise that pixels do not share is known, and the report says so.
    darks
        One or more raw frames without beam, of the same size.
    seconds, dark_seconds
        Exposure time of each.
    rng
        Random stream of the simulations that the spots are compared with.

    Raises
    ------
    InputError
        If sizes differ, an open beam is not brighter than the dark current, times are not positive, or frames hold
        other than finite numbers.
    """
    beams = [_checked(frame, f"open beam {n}") for n, frame in enumerate(open_beams, start=1)]
    without = [_checked(frame, f"dark image {n}") for n, frame in enumerate(darks, start=1)]
    _check_sizes_and_times(beams, without, seconds, dark_seconds)
    dark_parts = [dark_residuals(frame, _SMOOTH) for frame in without]
    offset = float(np.mean([np.median(frame) for frame in without]))
    read_noise = float(np.sqrt(np.mean([part.values[part.valid].var(dtype=np.float64) for part in dark_parts])))
    read_covariance = _read_covariance(dark_parts)
    parts = [beam_residuals(frame, offset, _SMOOTH) for frame in beams]
    noise = _Noise.of(parts, read_noise**2 * read_covariance)
    detector = noise.detector(offset, read_noise).model_copy(update={"read_covariance": read_covariance})
    background = _background(detector, dark_parts, dark_seconds, rng)
    detector = detector.model_copy(update={"background": background})
    response = PixelResponse(covariance=noise.pattern)
    gamma = _gamma(detector, response, parts, seconds, rng)
    rates = [float(np.median(p.level[p.valid])) / detector.gain / t for p, t in zip(parts, seconds, strict=True)]
    return FittedDetector(
        detector=detector.model_copy(update={"gamma": gamma}),
        response=response,
        rate=float(np.mean(rates)),
        report=DetectorReport(
            paired=len(beams) > 1,
            exposures=tuple(noise.exposures(parts, seconds)),
            spots=sum(len(part.spots.peaks) for part in parts),
            dark_spots=sum(len(part.spots.peaks) for part in dark_parts),
            lasting_dark_spots=_lasting(dark_parts),
            used=min(float(part.valid.mean()) for part in parts),
        ),
    )


@dataclass(frozen=True)
class _Noise:
    """The covariances by lag: `pattern` relative to the level, `counting` in DN times the level."""

    pattern: Float64
    counting: Float64
    single: list[float]
    """Noise alone of each frame at lag 0, relative."""
    paired: bool

    @classmethod
    def of(cls, parts: Sequence[Residuals], read: Float64) -> _Noise:
        inverse = [float((1.0 / p.level[p.valid]).mean(dtype=np.float64)) for p in parts]
        squared = [float((1.0 / p.level[p.valid].astype(np.float64) ** 2).mean()) for p in parts]
        own = [lag_covariance(part, part, _REACH) for part in parts]
        if len(parts) > 1:
            crossed = [lag_covariance(one, other, _REACH) for one, other in itertools.combinations(parts, 2)]
            pattern = np.asarray(np.mean(crossed, axis=0))
        else:
            pattern = _without_white_part(own[0])
        noise = [covariance - pattern for covariance in own]
        single = [float(n[_REACH, _REACH]) for n in noise]
        for table, square in zip(noise, squared, strict=True):
            middle = slice(_REACH - _READ_REACH, _REACH + _READ_REACH + 1)
            table[middle, middle] -= read * square
        # The frame with the most noise tells it best; the weights are those of least squares on 1/m.
        weights = np.array(inverse) / np.sum(np.square(inverse))
        counting = np.asarray(np.tensordot(weights, np.stack(noise), axes=1))
        if not counting[_REACH, _REACH] > 0.0:
            raise InputError(
                "the open beams hold no more noise than their common pattern and the dark image; are they the same "
                "file, or averages of many frames?"
            )
        return cls(pattern, counting, single, len(parts) > 1)

    def detector(self, offset: float, read_noise: float) -> Detector:
        middle = self.counting.shape[0] // 2
        near = self.counting[middle - _NEAR : middle + _NEAR + 1, middle - _NEAR : middle + _NEAR + 1]
        if not self.paired:
            return Detector(gain=float(near[_NEAR, _NEAR]), psf=0.0, offset=offset, read_noise=read_noise)
        gain, per_photon, sigma = _spread_of(near)
        photons = gain / per_photon if per_photon > 1e-3 * gain else None
        return Detector(gain=gain, photons=photons, psf=sigma, offset=offset, read_noise=read_noise)

    def exposures(self, parts: Sequence[Residuals], seconds: Sequence[float]) -> list[ExposureNoise]:
        levels = [float(np.median(part.level[part.valid])) for part in parts]
        return [
            ExposureNoise(seconds=time, level=level, noise=level * max(single, 0.0) ** 0.5)
            for time, level, single in zip(seconds, levels, self.single, strict=True)
        ]


def _read_covariance(darks: Sequence[Residuals]) -> Float64:
    """Average the autocovariance of the dark images relative to their variance; those without noise tell nothing."""
    tables = [lag_covariance(part, part, _READ_REACH) for part in darks]
    noisy = [table / table[_READ_REACH, _READ_REACH] for table in tables if table[_READ_REACH, _READ_REACH] > 0.0]
    if not noisy:
        white = np.zeros((2 * _READ_REACH + 1, 2 * _READ_REACH + 1))
        white[_READ_REACH, _READ_REACH] = 1.0
        return white
    return np.asarray(np.mean(noisy, axis=0))


def _spread_of(near: Float64) -> tuple[float, float, tuple[float, float]]:
    """Fit DN per neutron, DN per photon and the spread (y, x) to the noise by lag."""
    white = np.zeros_like(near)
    white[_NEAR, _NEAR] = 1.0
    # Rings of lags count alike, the many far ones no more than the few near ones.
    distance = np.hypot(*np.mgrid[-_NEAR : _NEAR + 1, -_NEAR : _NEAR + 1])
    weights = 1.0 / np.maximum(distance, 1.0).ravel()

    def fitted(sigmas: Float64) -> tuple[Float64, float]:
        terms = np.stack([spread_covariance(sigmas, _NEAR).ravel(), white.ravel()], axis=1)
        factors, misfit = nnls(terms * weights[:, None], near.ravel() * weights)
        return np.asarray(factors), float(misfit)

    scale = float(near[_NEAR, _NEAR])
    best = minimize(lambda sigmas: fitted(sigmas)[1] / scale, [0.7, 0.7], bounds=[(0.3, 2.0)] * 2, method="Nelder-Mead")
    (gain, per_photon), _ = fitted(best.x)
    if not gain > 0.0:
        # Nothing is shared between pixels: each neutron lights up one.
        return float(per_photon), 0.0, (0.0, 0.0)
    return float(gain), float(per_photon), (float(best.x[0]), float(best.x[1]))


def spread_covariance(sigmas: Sequence[float] | Float64, reach: int) -> Float64:
    """Give the autocovariance by lag (2 reach + 1 squared) of unit white noise spread by Gaussians (y, x)."""
    line = np.zeros(8 * reach + 1)
    middle = len(line) // 2
    line[middle] = 1.0
    kernels = (gaussian_filter1d(line, float(sigma), mode="constant") for sigma in sigmas)
    rows, columns = (
        np.correlate(kernel, kernel, mode="same")[middle - reach : middle + reach + 1] for kernel in kernels
    )
    return np.asarray(rows[:, None] * columns[None, :])


def _without_white_part(covariance: Float64) -> Float64:
    """Replace lag 0 by what the parabola through the lags 1 and 2 says: what is smooth is no single pixel's noise."""
    middle = covariance.shape[0] // 2
    one = (covariance[middle, middle + 1] + covariance[middle + 1, middle]) / 2.0
    two = (covariance[middle, middle + 2] + covariance[middle + 2, middle]) / 2.0
    smooth = covariance.copy()
    smooth[middle, middle] = min(covariance[middle, middle], (4.0 * one - two) / 3.0)
    return smooth


def _background(detector: Detector, parts: Sequence[Residuals], seconds: Sequence[float], rng: Generator) -> GammaSpots:
    def find_again(law: GammaSpots, repeats: int) -> list[Spots]:
        camera = detector.model_copy(update={"background": law})
        exposures = list(zip(parts, seconds, strict=True)) * repeats
        frames = (camera.dark(_shape(part.level), time, rng) for part, time in exposures)
        return [find_spots(frame.astype(np.float32), None) for frame in frames]

    exposure = sum(p.level.size * 1e-6 * t for p, t in zip(parts, seconds, strict=True))
    return fit_spots([part.spots for part in parts], exposure, find_again)


def _gamma(
    detector: Detector, response: PixelResponse, parts: Sequence[Residuals], seconds: Sequence[float], rng: Generator
) -> GammaSpots:
    # The frame in which weaker spots show than in the others knows most of the law; it holds for the others as well.
    part, time = min(zip(parts, seconds, strict=True), key=lambda pair: pair[0].spots.threshold)
    neutrons = (np.maximum(part.level, 0.0) / detector.gain).astype(np.float32)

    def find_again(law: GammaSpots, repeats: int) -> list[Spots]:
        camera = detector.model_copy(update={"gamma": law})
        found = []
        for _ in range(repeats):
            frame = camera.expose(neutrons, time, rng, response=response.draw(_shape(neutrons), rng))
            found.append(find_spots(frame.astype(np.float32) - np.float32(camera.offset), part.level))
        return found

    return fit_spots([part.spots], part.level.size * 1e-6 * time, find_again)


def _lasting(parts: Sequence[Residuals]) -> float | None:
    """Give the part of the spots' pixels in the first dark image that are spots in all others: hot pixels."""
    first = parts[0].spots.mask
    if len(parts) == 1 or not first.any():
        return None
    return float(np.logical_and.reduce([part.spots.mask for part in parts])[first].mean())


def _shape(frame: Float32) -> tuple[int, int]:
    return frame.shape[0], frame.shape[1]


def _checked(frame: ArrayLike, name: str) -> Frame:
    array = np.asarray(frame)
    if array.ndim != 2 or array.dtype.kind not in "uif":
        raise InputError(f"{name} has the shape {array.shape} and the type {array.dtype}, expected numbers (y, x)")
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds values that are not finite; give the raw frame as the camera wrote it")
    return array


def _check_sizes_and_times(
    beams: Sequence[Frame], darks: Sequence[Frame], seconds: Sequence[float], dark_seconds: Sequence[float]
) -> None:
    for kind, frames, times in (("open beam", beams, seconds), ("dark image", darks, dark_seconds)):
        if not frames:
            raise InputError(f"no {kind} was given, expected at least one")
        if len(times) != len(frames):
            raise InputError(f"{len(frames)} {kind}s come with {len(times)} exposure times, expected one for each")
        for number, (frame, time) in enumerate(zip(frames, times, strict=True), start=1):
            if not time > 0.0:
                raise InputError(f"the exposure time of {kind} {number} is {time:g} s, expected a positive number")
            if frame.shape != beams[0].shape:
                ours, first = ("×".join(map(str, f.shape)) for f in (frame, beams[0]))
                raise InputError(f"{kind} {number} is {ours} but open beam 1 is {first} (y, x); crop one of them")
