"""Grains as a light or electron microscope shows them: a tone or colour each, texture, noise, boundaries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import PositiveInt, model_validator
from scipy.fft import irfft2, rfft2
from scipy.ndimage import gaussian_filter

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.simulation.grains.appearance import Appearance, MicrographAppearance
from beamforge.simulation.grains.contacts import contacts
from beamforge.simulation.grains.painting import Coat, Groove, Stripes, painted
from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.perlin import perlin
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.scenes.voronoi_grains import BOUNDARY_DISTANCE, GRAINS, REACH
from beamforge.simulation.step import Intensity

_CANDIDATES = 8
"""Tones tried for a grain until one differs enough from its neighbours'."""
_PERLIN_SCALE = 4.15
"""Makes Perlin noise of two octaves of about unit variance."""


class GrainGreylevels(Intensity, name="grain_greylevels"):
    """Fills grains with tones, in grey levels of which a camera counts 256.

    Without an `appearance` tones are drawn from `tones`, alike in all channels or a colour of its own for each grain.
    With one, each image takes the tones, noise, blur and boundary contrast of one of its micrographs at random, and
    the intervals here are factors on them.

    Attributes
    ----------
    channels
        1 for grey levels, 3 for colours.
    appearance
        What real micrographs look like; see `fit_to`.
    tones
        Range of the tones without an appearance.
    contrast
        Factor on the distance of all tones from their mean.
    separation
        Least distance between the tones of neighbours, root of the sum over channels of squares, in grey levels.
    texture
        Standard deviation of the variation inside grains in grey levels, or a factor on the appearance's.
    texture_length
        Wavelength of that Perlin noise relative to the grains' diameter.
    striation
        Standard deviation of straight stripes in some grains, in grey levels or relative to the appearance's texture:
        slip lines, twins, and what grinding left. Each grain has its own direction; half of the grains have none.
    striation_length
        Distance of the stripes in px.
    noise
        Standard deviation of the noise in grey levels, or a factor on the appearance's.
    boundary_contrast
        Grey levels by which boundaries are brighter, or darker below 0, beside what the appearance has.
    boundary_width
        Standard deviation in px of the boundary's profile.
    illumination
        Standard deviation of a slow change of brightness over the image in grey levels, or a factor on the
        appearance's.
    blur
        Standard deviation in px of the blur of tones and boundaries, which comes before the noise; a factor on the
        appearance's.

    Notes
    -----
    Source: Trampert et al. 2021 for tones, Perlin noise of 1/5 to 2/3 of a diameter, white noise and blur.
    """

    channels: PositiveInt = 1
    appearance: Appearance | None = None
    tones: Interval = Interval(low=40.0, high=215.0)
    contrast: LogInterval = LogInterval(low=0.4, high=1.2)
    separation: Interval = Interval(low=0.0, high=20.0)
    texture: Interval = Interval(low=0.0, high=12.0)
    texture_length: LogInterval = LogInterval(low=0.2, high=2.0 / 3.0)
    striation: Interval = Interval(low=0.0, high=6.0)
    striation_length: LogInterval = LogInterval(low=3.0, high=12.0)
    noise: Interval = Interval(low=2.0, high=12.0)
    boundary_contrast: Interval = Interval(low=-60.0, high=10.0)
    boundary_width: LogInterval = LogInterval(low=0.5, high=1.5)
    illumination: Interval = Interval(low=0.0, high=8.0)
    blur: Interval = Interval(low=0.3, high=1.5)

    @model_validator(mode="after")
    def _channels_of_the_appearance(self) -> Self:
        if self.appearance is not None and self.appearance.channels != self.channels:
            raise ValueError(
                f"channels is {self.channels} but the appearance was learnt from {self.appearance.channels} channels"
            )
        return self

    @classmethod
    def fit_to(cls, images: Sequence[Float32], rng: Generator, *, names: Sequence[str] = (), **settings: Any) -> Self:
        """Learn the appearance from images (channel, y, x) without annotation; the other settings are factors.

        Raises
        ------
        InputError
            See `Appearance.fit`.
        """
        appearance = Appearance.fit(images, rng, names=names)
        factors = {
            "texture": Interval(low=0.15, high=0.9),
            "striation": Interval(low=0.0, high=0.8),
            "noise": Interval(low=0.5, high=1.3),
            "illumination": Interval(low=0.0, high=1.2),
            "blur": Interval(low=0.4, high=1.2),
            "boundary_contrast": Interval(low=-12.0, high=6.0),
        }
        return cls.model_validate({
            "channels": appearance.channels, "appearance": appearance, **factors, **settings,
        })  # fmt: skip

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw the intervals, and which micrograph lends its appearance."""
        drawn = super().draw(sample, rng)
        if self.appearance is not None:
            drawn["micrograph"] = int(rng.integers(len(self.appearance.micrographs)))
        return drawn

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Draw tones, texture, boundaries and noise."""
        grains, distance = _scene(sample)
        look = self.appearance.micrographs[parameters["micrograph"]] if self.appearance is not None else None
        unit = look.texture / math.sqrt(self.channels) if look is not None else 1.0
        count = int(grains.max()) + 1
        texture = Coat(Coat.draw_strengths(count, self.channels, parameters["texture"] * unit, rng))
        stripes = Stripes.draw(
            count, self.channels, parameters["striation"] * unit, parameters["striation_length"], rng
        )
        diameter = math.sqrt(4.0 / math.pi * grains.size / count)
        field = perlin(grains.shape, parameters["texture_length"] * diameter, rng, octaves=2)
        field *= np.float32(_PERLIN_SCALE)
        contrast = parameters["boundary_contrast"] + (look.boundary_contrast if look is not None else 0.0)
        groove = Groove(distance, REACH, parameters["boundary_width"], contrast)
        image = painted(grains, self._tones(grains, parameters, look, rng), texture, field, stripes, groove)
        slow = parameters["illumination"] * (look.illumination if look is not None else 1.0)
        image += np.float32(slow) * _slope(grains.shape, rng)
        blur = parameters["blur"] * (look.blur if look is not None else 1.0)
        if blur > 0.0:
            image = gaussian_filter(image, (0.0, blur, blur), mode="nearest", truncate=3.0)
        image += _noise(self.channels, grains.shape, parameters["noise"], look, rng)
        return sample.replace(image=image)

    def _tones(
        self, grains: NDArray[np.int32], parameters: Parameters, look: MicrographAppearance | None, rng: Generator
    ) -> Float32:
        count = int(grains.max()) + 1
        if look is None:
            candidates = rng.uniform(self.tones.low, self.tones.high, (_CANDIDATES, count, self.channels))
        else:
            candidates = look.tones[rng.integers(len(look.tones), size=(_CANDIDATES, count))].astype(np.float64)
        mean = candidates.mean(axis=(0, 1))
        candidates = mean + parameters["contrast"] * (candidates - mean)
        return _apart(candidates, contacts(grains), parameters["separation"])


def _scene(sample: Sample) -> tuple[NDArray[np.int32], Float32]:
    missing = [name for name in (GRAINS, BOUNDARY_DISTANCE) if name not in sample.extras]
    if missing:
        raise InputError(
            f"the step 'grain_greylevels' needs {missing[0]!r} of a scene of grains; put it after 'voronoi_grains'"
        )
    return sample.extras[GRAINS], sample.extras[BOUNDARY_DISTANCE]


def _apart(candidates: NDArray[np.float64], pairs: NDArray[np.int64], least: float) -> Float32:
    """Choose among candidates (candidate, grain, channel) one that differs from neighbours chosen before."""
    tones = candidates[0].copy()
    if least > 0.0 and len(pairs):
        # Every grain looks at the neighbours of lower number, so that one pass is enough.
        for grain, lower in _lower_neighbours(pairs):
            gap = np.linalg.norm(candidates[:, grain, None] - tones[lower], axis=2).min(axis=1)
            enough = np.flatnonzero(gap >= least)
            tones[grain] = candidates[enough[0] if len(enough) else int(gap.argmax()), grain]
    return np.asarray(tones, np.float32)


def _lower_neighbours(pairs: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64]]]:
    order = np.argsort(pairs[:, 1], kind="stable")
    grains, first = np.unique(pairs[order, 1], return_index=True)
    return list(zip(grains.tolist(), np.split(pairs[order, 0], first[1:]), strict=True))


def _slope(shape: tuple[int, ...], rng: Generator) -> Float32:
    """Draw a quadratic surface of unit variance."""
    y, x = np.linspace(-1.0, 1.0, shape[0])[:, None], np.linspace(-1.0, 1.0, shape[1])[None]
    across, down, bowl, twist = rng.standard_normal(4) * (1.0, 1.0, 0.5, 0.5)
    surface = across * x + down * y + bowl * (x**2 + y**2) + twist * x * y
    return np.asarray((surface - surface.mean()) / max(float(surface.std()), 1e-6), np.float32)


def _noise(
    channels: int, shape: tuple[int, ...], factor: float, look: MicrographAppearance | None, rng: Generator
) -> Float32:
    white = rng.standard_normal((channels, *shape), dtype=np.float32)
    if look is None:
        return white * np.float32(factor)
    kernels = np.zeros_like(white)
    side = min(look.noise_kernels.shape[1], *shape)
    kernels[:, :side, :side] = look.noise_kernels[:, :side, :side]
    components = irfft2(rfft2(white) * rfft2(kernels), s=shape)
    mixed: Float32 = np.tensordot(np.float32(factor) * look.noise_mixing, components, axes=1).astype(np.float32)
    return mixed
