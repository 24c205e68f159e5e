"""What micrographs of grains look like, learnt from images that nobody has annotated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.random import Generator
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat
from scipy.fft import fft2, ifft2
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude, map_coordinates, median_filter, uniform_filter
from scipy.optimize import curve_fit

from beamforge.arrays import Float32, Float32Field, Float64
from beamforge.errors import InputError

_LEAST_SIDE = 64
_MEDIAN = 7
"""Side in px of the median that parts tones from noise."""
_PATCH = 32
"""Side in px of the patches that the noise's spectrum is averaged over."""
_OUTLIER = 4.0
"""Pixels this many robust standard deviations off are pits or edges, not noise."""
_TO_DEVIATION = 1.4826


class MicrographAppearance(BaseModel):
    """What one micrograph looks like; all values in grey levels of the image and px.

    Attributes
    ----------
    tones
        (tone, channel) what grains look like: the smoothed image at random pixels inside grains.
    noise_mixing
        (channel, component) how the channels are made of independent noises.
    noise_kernels
        (component, odd, odd) each noise is white noise of unit variance convolved with its kernel.
    texture
        Standard deviation inside grains beyond the noise, as the root of the sum over channels.
    illumination
        Standard deviation of a slow change of brightness over the image that is more than grains explain.
    blur
        Standard deviation in px of the Gaussian that the steps between grains are blurred by.
    boundary_contrast
        How much brighter (or darker, below 0) boundaries are than the grains on both sides, mean over channels.
    intercept
        Mean length in px of a random line inside a grain.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    tones: Float32Field
    noise_mixing: Float32Field
    noise_kernels: Float32Field
    texture: NonNegativeFloat
    illumination: NonNegativeFloat
    blur: NonNegativeFloat
    boundary_contrast: float
    intercept: PositiveFloat

    @classmethod
    def fit(cls, image: Float32, rng: Generator, *, tones: int = 128, source: str = "image") -> Self:
        """Learn from one image (channel, y, x) without annotation.

        Raises
        ------
        InputError
            If the image is smaller than 64 px, has values that are not finite, or is the same everywhere.
        """
        image = _checked(image, source)
        smooth = np.stack([median_filter(channel, _MEDIAN) for channel in image]).astype(np.float32)
        strength = _gradient(smooth, 1.0)
        inside = strength <= np.median(strength)
        rows, columns = np.nonzero(inside)
        pick = rng.permutation(len(rows))[:tones]
        mixing, kernels = _noise(image - smooth, inside)
        surface, steps = _illumination(smooth)
        intercept = _mean_intercept(steps)
        return cls(
            tones=smooth[:, rows[pick], columns[pick]].T,
            noise_mixing=mixing,
            noise_kernels=kernels,
            texture=_texture(smooth),
            illumination=_beyond_chance(surface, steps, intercept),
            blur=_edge_blur(image),
            boundary_contrast=_boundary_contrast(image),
            intercept=intercept,
        )

    @property
    def diameter(self) -> float:
        """Diameter in px of the circle with the grains' mean area, as a Poisson-Voronoi tessellation has it.

        Its mean intercept is π/4 of the root of the mean area (Møller 1989).
        """
        return math.sqrt((4.0 / math.pi) ** 3) * self.intercept


class Appearance(BaseModel):
    """What the micrographs of one source look like.

    Attributes
    ----------
    micrographs
        One for each image it was learnt from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    micrographs: tuple[MicrographAppearance, ...] = Field(min_length=1)

    @classmethod
    def fit(cls, images: Sequence[Float32], rng: Generator, *, names: Sequence[str] = ()) -> Self:
        """Learn from images (channel, y, x), which may differ in size but not in their channels.

        Raises
        ------
        InputError
            If there is no image, they differ in channels, or one cannot be learnt from.
        """
        if not images:
            raise InputError("no image to learn the appearance of grains from")
        called = list(names) or [f"image {number}" for number in range(len(images))]
        channels = {name: image.shape[0] for name, image in zip(called, images, strict=True)}
        if len(set(channels.values())) > 1:
            found = ", ".join(f"{name}: {count}" for name, count in list(channels.items())[:6])
            raise InputError(f"images of different numbers of channels ({found}); turn all into grey or all into RGB")
        fitted = [MicrographAppearance.fit(image, rng, source=name) for name, image in zip(called, images, strict=True)]
        return cls(micrographs=tuple(fitted))

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.micrographs[0].tones.shape[1])

    @property
    def diameter(self) -> float:
        """Median over the micrographs of the grains' diameter in px."""
        return float(np.median([one.diameter for one in self.micrographs]))


def _checked(image: Float32, source: str) -> Float32:
    if image.ndim != 3 or min(image.shape[1:]) < _LEAST_SIDE:
        raise InputError(
            f"{source} has shape {image.shape}, expected (channel, y, x) of at least {_LEAST_SIDE}×{_LEAST_SIDE} px"
        )
    if not np.isfinite(image).all():
        raise InputError(f"{source} has pixels that are not finite; crop or fill them")
    if all(channel.min() == channel.max() for channel in image):
        raise InputError(f"{source} is the same everywhere; there are no grains to learn from")
    return np.asarray(image, np.float32)


def _gradient(image: Float32, sigma: float) -> Float32:
    """Root of the sum over channels of the squared gradient."""
    squared = sum(gaussian_gradient_magnitude(channel.astype(np.float64), sigma) ** 2 for channel in image)
    return np.asarray(np.sqrt(squared), np.float32)


def _noise(residual: Float32, inside: np.ndarray) -> tuple[Float32, Float32]:
    """Split noise into independent components and give each one's kernel, from pixels inside grains."""
    deviation = _TO_DEVIATION * np.median(np.abs(residual[:, inside]), axis=1)
    deviation = np.maximum(deviation, 1e-3)
    calm = inside & (np.abs(residual) <= _OUTLIER * deviation[:, None, None]).all(axis=0)
    values = residual[:, calm].astype(np.float64)
    covariance = np.cov(values, ddof=0).reshape(len(residual), len(residual)) + 1e-6 * np.eye(len(residual))
    power, vectors = np.linalg.eigh(covariance)
    mixing = vectors * np.sqrt(power)
    components = np.tensordot(np.linalg.inv(mixing), np.where(calm, residual, 0.0), axes=1)
    kernels = np.stack([_kernel(component, calm) for component in components])
    return mixing.astype(np.float32), kernels.astype(np.float32)


def _kernel(noise: Float64, known: np.ndarray) -> Float64:
    """Give the kernel whose convolution with white noise has the autocorrelation of the known pixels."""
    products, pairs = np.zeros((_PATCH, _PATCH)), np.zeros((_PATCH, _PATCH))
    half = _PATCH // 2
    for top in range(0, noise.shape[0] - half + 1, half):
        for left in range(0, noise.shape[1] - half + 1, half):
            here = (slice(top, top + half), slice(left, left + half))
            for total, field in ((products, np.where(known, noise, 0.0)[here]), (pairs, known[here].astype(float))):
                total += np.abs(fft2(field, (_PATCH, _PATCH))) ** 2
    correlation = np.real(ifft2(products)) / np.maximum(np.real(ifft2(pairs)), 1.0)
    lag = np.minimum(np.arange(_PATCH), _PATCH - np.arange(_PATCH)) / half
    # Lags near half a patch rest on few pairs: a taper keeps their errors out.
    taper = np.cos(0.5 * np.pi * lag) ** 2
    amplitude = np.sqrt(np.maximum(np.real(fft2(correlation * taper[:, None] * taper)), 0.0))
    kernel = np.roll(np.real(ifft2(amplitude)), (half, half), axis=(0, 1))[1:, 1:]
    if not kernel.any():
        # A channel without noise, as empty ones are: white noise of no strength.
        kernel[half - 1, half - 1] = 1.0
    return np.asarray(kernel / np.sqrt((kernel**2).sum()))


def _texture(smooth: Float32) -> float:
    """Standard deviation inside grains: a low quantile of that in small windows, most of which hold no boundary."""
    window = 2 * _MEDIAN + 1
    variance = np.zeros(smooth.shape[1:])
    for channel in smooth.astype(np.float64):
        variance += uniform_filter(channel**2, window) - uniform_filter(channel, window) ** 2
    variance = np.maximum(variance, 0.0)
    return float(np.sqrt(np.quantile(variance, 0.25)))


def _mean_intercept(tones: Float64) -> float:
    """Fit 1 − exp(−r / l) to the variogram of tones: in a mosaic of random lines l is the mean intercept.

    Source: Chiu et al. 2013, "Stochastic Geometry and its Applications", on random mosaics.
    """
    lags = np.arange(_MEDIAN // 2, min(tones.shape[1:]) // 3)
    directions = [field for channel in tones for field in (channel, channel.T)]
    variogram = np.mean([[np.mean((f[:, r:] - f[:, :-r]) ** 2) for r in lags] for f in directions], axis=0)
    (length, _), _ = curve_fit(
        lambda r, size, height: height * (1.0 - np.exp(-r / size)),
        lags.astype(float),
        variogram / max(float(variogram.max()), 1e-9),
        p0=(float(lags.mean()) / 2.0, 1.0),
        bounds=((1.0, 0.1), (float(max(tones.shape)), 3.0)),
    )
    return float(length)


def _illumination(smooth: Float32) -> tuple[Float64, Float64]:
    """Fit a quadratic surface to each channel; give the surfaces and what is left, both (channel, y, x)."""
    y, x = np.mgrid[-1.0 : 1.0 : smooth.shape[1] * 1j, -1.0 : 1.0 : smooth.shape[2] * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * y, x**2, y**2]).reshape(6, -1)
    values = smooth.reshape(len(smooth), -1).astype(np.float64)
    weights = np.linalg.lstsq(terms.T, values.T, rcond=None)[0].T
    surface = (weights @ terms).reshape(smooth.shape)
    return surface, smooth - surface


def _beyond_chance(surface: Float64, tones: Float64, intercept: float) -> float:
    """Standard deviation of the mean surface, less what the tones of so few grains give."""
    brightness, left = surface.mean(axis=0), tones.mean(axis=0)
    grains = max(brightness.size / (4.0 / math.pi * intercept**2), 6.0)
    return float(np.sqrt(max(brightness.var() - left.var() * 5.0 / (grains - 5.0), 0.0)))


def _edge_blur(image: Float32, first: float = 1.0, second: float = 1.5) -> float:
    """Estimate the blur of steps from how much a further blur flattens the steepest of them.

    Source: Zhuo and Sim 2011, Eq. 5, with a first blur against noise.
    """
    sharp, blurred = _gradient(image, first), _gradient(image, math.hypot(first, second))
    edges = sharp >= np.quantile(sharp, 0.97)
    ratio = max(float(np.median(sharp[edges] / np.maximum(blurred[edges], 1e-9))), 1.0 + 1e-3)
    squared = second**2 / (ratio**2 - 1.0) - first**2
    return math.sqrt(max(squared, 0.0))


def _boundary_contrast(image: Float32, away: float = 5.0) -> float:
    """Compare the steepest points with the mean of both sides along the gradient."""
    grey = gaussian_filter(image.mean(axis=0).astype(np.float64), 1.0)
    down, across = np.gradient(gaussian_filter(grey, 1.0))
    steep = np.hypot(down, across)
    margin = math.ceil(away) + 1
    inner = np.zeros(grey.shape, bool)
    inner[margin:-margin, margin:-margin] = True
    rows, columns = np.nonzero(inner & (steep >= np.quantile(steep[inner], 0.9)))
    length = np.maximum(steep[rows, columns], 1e-9)
    dy, dx = away * down[rows, columns] / length, away * across[rows, columns] / length
    sides = [map_coordinates(grey, [rows + sign * dy, columns + sign * dx], order=1) for sign in (-1.0, 1.0)]
    return float(np.median(grey[rows, columns] - 0.5 * (sides[0] + sides[1])))
