"""What lies under the spots of a diffraction projection: scattered beam, beam stop, noise."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
import xarray as xr
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat, model_validator
from scipy.ndimage import binary_dilation, gaussian_filter, gaussian_filter1d, zoom
from skimage.filters import sobel, threshold_otsu

from beamforge.arrays import Float32, Float32Field
from beamforge.errors import InputError
from beamforge.reduction.projection_noise import measure_noise
from beamforge.reduction.projections import WINDOW, rolling_median
from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation

BACKGROUND = "background"
"""Extra that holds the background (y, x) of a sample, in its units."""
CLEAN = "clean"
"""Extra that holds the spots alone (y, x), without noise, in the units of the noisy image."""
_REACH_OF_FILL = 4.0


class DiffractionBackground(Degradation, name="diffraction_background"):
    """Puts simulated spots on a background and counts photons.

    x0 = (I_simu - C_BG) + R_BG I_BG, with R_BG drawn from [I0 - √I0, I0 + √I0]; then

    - ``paper``: x = x0 + τ Poisson(x0 / 2), whose background is R_BG I_BG (1 + τ/2);
    - ``counted``: x = gain Poisson(x0 / gain) + read-out noise;

    and, with `grain`, what neighbouring pixels share: x += grain × the noise's standard deviation × a smooth field.

    I_BG, at most 1, is a part of a background learnt from real projections (`fit`), turned into one of its eight
    orientations, or a drawn one: scattered light that falls off around the beam, a gradient, and a beam stop.

    Source: Fang et al. 2021, Eqs. 1-2.

    Attributes
    ----------
    background
        Learnt background (y, x), largest value 1; None draws one.
    level
        I0 in the image's units.
    offset
        C_BG in the image's units.
    brightness
        Factor on the simulated spots.
    noise
        Which of the two.
    tau
        Of the paper's noise.
    gain, read_out
        Units for each photon, and standard deviation of the read-out noise in units, of counted noise.
    grain, grain_sigma
        Standard deviation of the smooth field, in those of the noise of single pixels, and σ in px of its Gaussian;
        see `beamforge.reduction.projection_noise`.
    falloff
        Width of the scattered light of a drawn background, in sides of the image.
    beam_stop
        Chance that a drawn background shows the edge of a beam stop.
    """

    background: Float32Field | None = None
    level: LogInterval = LogInterval(low=110.0, high=110.0)
    offset: NonNegativeFloat = 0.0
    brightness: LogInterval = LogInterval(low=1.0, high=1.0)
    noise: Literal["paper", "counted"] = "paper"
    tau: PositiveFloat = 1.0
    gain: LogInterval = LogInterval(low=1.0, high=1.0)
    read_out: Interval = Interval(low=0.0, high=0.0)
    grain: Interval = Interval(low=0.0, high=0.0)
    grain_sigma: PositiveFloat = 1.0
    falloff: Interval = Interval(low=0.8, high=3.0)
    beam_stop: float = 0.2

    @model_validator(mode="after")
    def _usable(self) -> Self:
        image = self.background
        if image is not None and not (image.ndim == 2 and np.isfinite(image).all() and 0 < image.max() <= 1.0):
            raise ValueError("a learnt background is an image (y, x) of finite values whose largest is 1")
        if not 0.0 <= self.beam_stop <= 1.0:
            raise ValueError(f"beam_stop is a chance from 0 to 1, got {self.beam_stop}")
        return self

    @classmethod
    def fit(
        cls,
        stack: xr.DataArray,
        labels: xr.DataArray | None = None,  # noqa: ARG003
        *,
        window: int = 61,
        dilation: int = 13,
        **settings: object,
    ) -> Self:
        """Learn background and noise of real projections; see `extract_background` and `measure_noise`.

        Noise is counted, with gain, read-out noise and grain as measured; the level reaches from that of the darkest
        projection to that of the brightest. What `settings` say is not measured.

        Parameters
        ----------
        stack
            Projections (channel, y, x).
        labels
            Not needed: spots are found by their edges.
        window, dilation
            See `extract_background`.
        **settings
            Further settings of the step.
        """
        image = extract_background(stack, window=window, dilation=dilation)
        noise = measure_noise(stack, _odd(min(WINDOW, int(stack.sizes["channel"]))))
        measured = {
            "noise": "counted",
            "level": _levels(stack, image),
            "gain": max(noise.gain, 1e-6),
            "read_out": noise.read_out,
            "grain": noise.grain,
            "grain_sigma": noise.grain_sigma,
        }
        return cls.model_validate({**measured, **settings, "background": image})

    @classmethod
    def from_files(cls, projections: NDArray[np.float32] | list[NDArray[np.float32]], **settings: object) -> Self:
        """Learn the background of projections (channel, y, x) that were read from files, for recipes."""
        return cls.fit(xr.DataArray(np.asarray(projections), dims=("channel", "y", "x")), **settings)  # type: ignore[arg-type]

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw level, brightness, noise and the shape of the background."""
        parameters = super().draw(sample, rng)
        level = parameters["level"]
        parameters["ratio"] = float(rng.uniform(level - np.sqrt(level), level + np.sqrt(level)))
        parameters["place"] = rng.random(2).tolist()
        parameters["turn"] = int(rng.integers(8))
        parameters["centre"] = rng.uniform(-1.0, 2.0, 2).tolist()
        parameters["slope"] = rng.uniform(-0.15, 0.15, 2).tolist()
        parameters["stop"] = bool(rng.random() < self.beam_stop)
        return parameters

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Compose and count.

        Raises
        ------
        InputError
            If the sample is not one channel, or larger than the learnt background.
        """
        if len(sample.image) != 1:
            raise InputError(f"a projection has one channel, the step 'diffraction_background' met {len(sample.image)}")
        height, width = sample.image.shape[1:]
        shape = self._shape((height, width), parameters)
        below = np.float32(parameters["ratio"]) * shape
        clean = sample.image[0] * np.float32(parameters["brightness"])
        x0 = np.maximum(clean - np.float32(self.offset) + below, 0.0)
        if self.noise == "paper":
            image = x0 + self.tau * rng.poisson(0.5 * x0)
            variance = 0.5 * self.tau**2 * x0
            clean, below = (part * np.float32(1.0 + 0.5 * self.tau) for part in (clean, below))
        else:
            gain = parameters["gain"]
            image = gain * rng.poisson(x0 / gain) + parameters["read_out"] * rng.standard_normal(x0.shape)
            variance = gain * x0 + parameters["read_out"] ** 2
        if parameters["grain"] > 0.0:
            image = image + parameters["grain"] * np.sqrt(variance) * _smooth_field(x0.shape, self.grain_sigma, rng)
        extras = {**sample.extras, BACKGROUND: below.astype(np.float32), CLEAN: clean}
        return sample.replace(image=image[None].astype(np.float32), extras=extras)

    def _shape(self, size: tuple[int, int], parameters: Parameters) -> Float32:
        return _drawn(size, parameters) if self.background is None else _cut(self.background, size, parameters)


def _cut(background: Float32, size: tuple[int, int], parameters: Parameters) -> Float32:
    turned = np.rot90(background, parameters["turn"] % 4)
    turned = turned[:, ::-1] if parameters["turn"] >= 4 else turned
    if turned.shape[0] < size[0] or turned.shape[1] < size[1]:
        raise InputError(
            f"a sample of {size[0]}×{size[1]} px is larger than the learnt background of "
            f"{turned.shape[0]}×{turned.shape[1]} px; take smaller tiles"
        )
    top, left = (int(p * (t - s + 1)) for p, t, s in zip(parameters["place"], turned.shape, size, strict=True))
    part: Float32 = turned[top : top + size[0], left : left + size[1]]
    return part


def _smooth_field(size: tuple[int, ...], sigma: float, rng: Generator) -> Float32:
    """Draw white noise smoothed by a Gaussian, of standard deviation 1."""
    one = np.zeros(2 * int(4.0 * sigma + 1.0) + 1)
    one[len(one) // 2] = 1.0
    # Along each axis a pixel is the sum of independent ones by these weights.
    weights = gaussian_filter1d(one, sigma)
    field = gaussian_filter(rng.standard_normal(size), sigma, mode="wrap")
    result: Float32 = (field / float(weights @ weights)).astype(np.float32)
    return result


def _drawn(size: tuple[int, int], parameters: Parameters) -> Float32:
    """Draw scattered light around the beam, on a gradient, with the edge of a beam stop where one is asked for."""
    y, x = (np.arange(side, dtype=np.float64) / max(size) for side in size)
    dy, dx = y[:, None] - parameters["centre"][0], x[None] - parameters["centre"][1]
    light = 0.35 + 0.65 * np.exp(-(dy**2 + dx**2) / (2.0 * parameters["falloff"] ** 2))
    light *= 1.0 + parameters["slope"][0] * (y[:, None] - 0.5) + parameters["slope"][1] * (x[None] - 0.5)
    if parameters["stop"]:
        edge = int((0.1 + 0.3 * parameters["place"][0]) * size[0])
        side = int((0.4 + 0.6 * parameters["place"][1]) * size[1])
        stop = np.ones(size)
        stop[:edge, :side] = 0.1
        light *= gaussian_filter(stop, 3.0, mode="nearest")
    result: Float32 = (light / light.max()).astype(np.float32)
    return result


def extract_background(stack: xr.DataArray, *, window: int = 61, dilation: int = 13) -> Float32:
    """Take the background out of real projections.

    In the median of the projections, which most spots have left, what edges still show is masked (Sobel, Otsu's
    threshold over the image's own edges, a Gaussian of σ = 1 px, a disk's dilation) and filled from its surroundings;
    then the image is divided by its largest value.

    Source: Fang et al. 2021, section 2.3: there every projection is filled before the rolling median over 60.

    Parameters
    ----------
    stack
        Projections (channel, y, x) in the order of their angles.
    window
        Projections of the rolling median; a shorter stack is taken whole.
    dilation
        Diameter in px by which the mask is grown.

    Returns
    -------
    float32 (y, x), largest value 1.

    Raises
    ------
    InputError
        If there are fewer than 3 projections, or one is zero everywhere.
    """
    count = int(stack.sizes["channel"])
    window = _odd(min(window, count))
    if window < 3:
        raise InputError(f"a background is taken from 3 projections or more, the stack has {count}")
    seen: dict[int, Float32] = {}
    for _, median in rolling_median(stack, window):
        seen[id(median)] = median
    medians = np.stack(list(seen.values()))
    mean: Float32 = np.asarray(medians.mean(axis=0, dtype=np.float64), np.float32)
    filled = fill_spots_by_edges(mean, dilation=dilation)
    smooth = gaussian_filter(filled, 2.0)
    result: Float32 = np.maximum(smooth / smooth.max(), 0.0).astype(np.float32)
    return result


def _odd(count: int) -> int:
    return count if count % 2 else count - 1


def _levels(stack: xr.DataArray, background: Float32) -> tuple[float, float]:
    """Give how bright the darkest and the brightest projection are, in units of the background."""
    beam = background > 0.5
    levels = [
        float(np.median(np.asarray(stack.variable[number].values)[beam] / background[beam]))
        for number in range(int(stack.sizes["channel"]))
    ]
    return min(levels), max(levels)


def spots_by_edges(image: Float32, *, dilation: int = 13) -> NDArray[np.bool_]:
    """Mark the spots of a projection by their edges: Sobel, threshold, Gaussian of σ = 1 px, dilation by a disk."""
    edges = sobel(gaussian_filter(image, 1.0))
    # Where edges are as strong as anywhere (nothing but noise), Otsu's threshold would mark half of the image.
    noise = 1.4826 * float(np.median(np.abs(edges - np.median(edges))))
    otsu = float(threshold_otsu(edges)) if edges.max() > edges.min() else 0.0
    limit = max(otsu, float(np.median(edges)) + 6.0 * noise)
    marked = gaussian_filter((edges > limit).astype(np.float32), 1.0) > 0.25
    radius = dilation // 2
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    mask: NDArray[np.bool_] = binary_dilation(marked, y**2 + x**2 <= radius**2)
    return mask


def fill_spots_by_edges(image: Float32, *, dilation: int = 13) -> Float32:
    """Replace what `spots_by_edges` marks, but for a beam stop's long edges, by its smooth surroundings."""
    mask = spots_by_edges(image, dilation=dilation) & _small(image)
    known = np.where(mask, 0.0, 1.0)
    filled = image.astype(np.float64)
    left = mask
    sigma = _REACH_OF_FILL
    while left.any() and sigma < max(image.shape):
        weight = gaussian_filter(known, sigma)
        value = gaussian_filter(np.where(mask, 0.0, image), sigma)
        ready = left & (weight > 0.05)
        filled[ready] = value[ready] / weight[ready]
        left = left & ~ready
        sigma *= 2.0
    result: Float32 = filled.astype(np.float32)
    return result


def _small(image: Float32) -> NDArray[np.bool_]:
    """Say where an image rises above its wide surroundings as spots do; the edge of a beam stop falls below them."""
    coarse = zoom(gaussian_filter(image, 8.0)[::4, ::4], 4.0, order=1)
    wide = np.empty_like(image)
    height, width = image.shape
    padded = np.pad(coarse, ((0, max(0, height - coarse.shape[0])), (0, max(0, width - coarse.shape[1]))), mode="edge")
    wide[:] = padded[:height, :width]
    near: NDArray[np.bool_] = gaussian_filter(image, 1.0) > wide
    return near
