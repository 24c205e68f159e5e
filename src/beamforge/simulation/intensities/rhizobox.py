"""Neutron transmission of a box of moist soil with roots."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator
from scipy.ndimage import gaussian_filter, gaussian_filter1d
from scipy.special import expit

from beamforge.arrays import Float32
from beamforge.simulation.degradations.drift import smooth_field
from beamforge.simulation.interval import IntegerInterval, Interval, LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Intensity

_MM_PER_CM = 10.0
_LEAST_WATER = 0.005


class Rhizobox(Intensity, name="rhizobox"):
    """Attenuates a beam by soil, its water and root tissue (Beer-Lambert), from the paths that `Roots` left.

    Water contents are volumes of water per volume of soil or tissue. The water of the soil is made of a mean, a
    gradient with depth, slow variations, dry patches, a zone below a wet front and what roots took up or give off
    around them. Lengths are in px unless said otherwise.

    Source: Carminati et al. 2010 (Plant Soil 332, 163) for the range of water contents and the rhizosphere.

    Attributes
    ----------
    soil_attenuation, water_attenuation
        Coefficients of dry soil and of water in 1/cm, as they appear with the scattered neutrons that are counted too.
    water
        Mean water content at the surface.
    water_gradient
        Its change over 100 mm of depth.
    water_variation, variation_length
        Standard deviation relative to the mean, and correlation length, of slow variations.
    root_water
        Water content of root tissue.
    uptake, uptake_reach
        Change of the water content next to a root per mm of tissue along the beam, and how far it reaches.
    dry_patches, patch_size
        Number of patches of dry soil in the tile and their radius; within they keep a random share of their water.
    front, front_roughness
        Row of the wet front in tile sides from the top, beyond 1 there is none in view; its roughness.
    saturation
        Water content below the front.
    texture, fine, coarse, coarse_share
        Standard deviation of the density of soil, relative; its two correlation lengths; the coarse one's share of the
        variance.
    wall, wall_width
        Transmission and width of the bars that hold the box on both sides; the width in mm.
    """

    soil_attenuation: Interval = Interval(low=0.15, high=0.45)
    water_attenuation: Interval = Interval(low=2.8, high=3.6)
    water: LogInterval = LogInterval(low=0.04, high=0.2)
    water_gradient: Interval = Interval(low=-0.03, high=0.08)
    water_variation: Interval = Interval(low=0.0, high=0.25)
    variation_length: LogInterval = LogInterval(low=10.0, high=150.0)
    root_water: Interval = Interval(low=0.65, high=0.95)
    uptake: Interval = Interval(low=-0.15, high=0.1)
    uptake_reach: LogInterval = LogInterval(low=3.0, high=20.0)
    dry_patches: IntegerInterval = IntegerInterval(low=0, high=3)
    patch_size: LogInterval = LogInterval(low=5.0, high=45.0)
    front: Interval = Interval(low=-0.2, high=4.0)
    front_roughness: Interval = Interval(low=3.0, high=40.0)
    saturation: Interval = Interval(low=0.3, high=0.45)
    texture: LogInterval = LogInterval(low=0.015, high=0.12)
    fine: LogInterval = LogInterval(low=0.5, high=1.5)
    coarse: LogInterval = LogInterval(low=2.0, high=8.0)
    coarse_share: Interval = Interval(low=0.1, high=0.6)
    wall: Interval = Interval(low=0.7, high=1.0)
    wall_width: Interval = Interval(low=5.0, high=20.0)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Compute the transmission of every pixel."""
        shape = (sample.labels.shape[0], sample.labels.shape[1])
        extras = sample.extras
        water = self._water(extras, shape, parameters, rng)
        density = _texture(shape, parameters, rng)
        per_cm = (parameters["soil_attenuation"] + parameters["water_attenuation"] * water) * density
        in_roots = parameters["water_attenuation"] * parameters["root_water"]
        depth = (per_cm * extras["soil_path"] + in_roots * extras["root_path"]) / _MM_PER_CM
        beside = extras["beside"]
        in_wall = (beside > 0.0) & (beside < parameters["wall_width"])
        through = np.exp(-depth) * np.where(in_wall, parameters["wall"], 1.0)
        return sample.replace(image=through[None].astype(np.float32))

    def _water(
        self, extras: dict[str, np.ndarray], shape: tuple[int, int], parameters: Parameters, rng: Generator
    ) -> Float32:
        slow = smooth_field(1, shape, parameters["variation_length"], rng)[0]
        water = parameters["water"] * (1.0 + parameters["water_variation"] * slow)
        water = water + parameters["water_gradient"] * extras["below"].clip(0.0) / 100.0
        water = water * _patches(shape, int(parameters["dry_patches"]), parameters["patch_size"], rng)
        around = gaussian_filter(extras["root_path"], parameters["uptake_reach"], mode="nearest")
        water = water + parameters["uptake"] * around
        wet = _below_front(shape, parameters["front"], parameters["front_roughness"], rng)
        water = water + wet * (parameters["saturation"] - water)
        clipped: Float32 = np.clip(water, _LEAST_WATER, None).astype(np.float32)
        return clipped


def _texture(shape: tuple[int, int], parameters: Parameters, rng: Generator) -> Float32:
    """Draw the relative density of soil, log-normal around 1 with two correlation lengths."""
    share = parameters["coarse_share"]
    fields = [
        math.sqrt(part) * filtered_noise(shape, parameters[name], rng)
        for name, part in (("fine", 1.0 - share), ("coarse", share))
    ]
    spread = parameters["texture"]
    density: Float32 = np.exp(spread * (fields[0] + fields[1]) - 0.5 * spread**2).astype(np.float32)
    return density


def filtered_noise(shape: tuple[int, int], sigma: float, rng: Generator) -> Float32:
    """Draw white noise smoothed by a Gaussian of a few px, scaled to unit variance."""
    reach = math.ceil(4.0 * sigma)
    impulse = np.zeros(2 * reach + 1)
    impulse[reach] = 1.0
    power = float((gaussian_filter1d(impulse, sigma, mode="constant") ** 2).sum())
    noise = rng.standard_normal((shape[0] + 2 * reach, shape[1] + 2 * reach), dtype=np.float32)
    smooth = gaussian_filter(noise, sigma)[reach : reach + shape[0], reach : reach + shape[1]]
    scaled: Float32 = smooth / np.float32(power)  # along either axis the standard deviation falls by its root
    return scaled


def _patches(shape: tuple[int, int], count: int, size: float, rng: Generator) -> Float32:
    """Draw the share of water that dry patches leave: round, with speckled borders."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    left = np.ones(shape, np.float32)
    for _ in range(count):
        row, column = rng.uniform(0.0, shape[0]), rng.uniform(0.0, shape[1])
        high, wide = size * rng.uniform(0.6, 1.6, 2)
        squared = ((rows - row) / high) ** 2 + ((columns - column) / wide) ** 2
        speckle = 0.3 * smooth_field(1, shape, max(2.0, 0.15 * size), rng)[0]
        left *= 1.0 - rng.uniform(0.15, 0.8) * expit(4.0 * (1.0 - squared + speckle))
    return left


def _below_front(shape: tuple[int, int], front: float, roughness: float, rng: Generator) -> Float32:
    """Draw how far each pixel is in the wet zone, 0 to 1; dry islands stand in it."""
    wavy = roughness * smooth_field(1, (1, shape[1]), 25.0, rng)[0]
    ragged = 0.3 * roughness * smooth_field(1, shape, 5.0, rng)[0]
    rows = np.arange(shape[0])[:, None] - front * shape[0]
    wet = expit((rows + wavy + ragged) / 1.5)
    islands = smooth_field(1, shape, 15.0, rng)[0] + 0.3 * smooth_field(1, shape, 4.0, rng)[0]
    below: Float32 = (wet * expit((1.4 - islands) * 6.0)).astype(np.float32)
    return below
