"""Cracks on a ground surface: tiles with and without, for networks that classify tiles or mark pixels."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr
from numpy.random import Generator

from beamforge.simulation.degradations.blur import Blur
from beamforge.simulation.degradations.camera_range import CameraRange
from beamforge.simulation.degradations.scratches import Scratches
from beamforge.simulation.degradations.specimen_edge import SpecimenEdge
from beamforge.simulation.intensities.brushed_metal import BrushedMetal
from beamforge.simulation.intensities.crack_profile import CrackProfile
from beamforge.simulation.intensities.exemplar_texture import ExemplarTexture
from beamforge.simulation.interval import IntegerInterval, Interval, LogInterval, MeasuredInterval
from beamforge.simulation.scenario import Scenario
from beamforge.simulation.scenes.cracks import Cracks
from beamforge.simulation.step import Intensity
from beamforge.stack import Channel, Classes

CRACK_CLASSES = Classes(names=("error-free", "crack"), colours=("#9498a0", "#ff725c"))
CHANNEL = Channel(mode="intensity")


def measured_cracks(tile: int = 128, probability: float = 0.5) -> Cracks:
    """Describe cracks as they were measured on 34 annotated images of magnetic tiles.

    The images are those of Huang, Qiu and Yuan (2018); of the distributions, every tenth percentile is kept.
    """
    return Cracks(
        tile=tile,
        probability=probability,
        segments=_measured(1, 2, 2, 3, 3, 4, 4, 5, 9, 11, 12),
        segment_length=_measured(3.3, 11.5, 14.8, 18.5, 19.2, 19.8, 22.6, 26.6, 27.5, 46.3, 98.5),
        turning=_measured(0.0, 0.0, 0.0, 0.06, 0.15, 0.18, 0.19, 0.2, 0.2, 0.23, 0.48),
        bend=_measured(0.0, 0.0, 0.03, 0.09, 0.1, 0.15, 0.31, 0.36, 0.52, 1.19, 1.94),
        direction=_measured(0.0, 0.4, 0.7, 1.1, 1.2, 1.7, 2.1, 4.9, 9.8, 38.5, 90.0),
        opening=_measured(1.8, 1.8, 1.9, 1.9, 2.5, 2.5, 2.6, 2.7, 3.2, 3.8, 6.4),
        margin=_measured(-0.8, 0.2, 0.6, 0.7, 0.7, 0.8, 1.0, 1.1, 1.7, 2.1, 2.1),
        jaggedness=_measured(0.0, 0.14, 0.17, 0.18, 0.2, 0.22, 0.22, 0.26, 0.3, 0.32, 0.45),
    )


def measured_profile() -> CrackProfile:
    """Describe the grey values across the same cracks."""
    return CrackProfile(
        depth=_measured(0.31, 0.37, 0.4, 0.44, 0.47, 0.49, 0.52, 0.54, 0.58, 0.59, 0.67),
        shape=(1.0, 0.941, 0.838, 0.679, 0.5, 0.344, 0.233, 0.159, 0.11, 0.074, 0.048, 0.025, *[0.0] * 5),
    )


def cracks(
    tile: int = 128,
    probability: float = 0.5,
    *,
    scene: Cracks | None = None,
    texture: Intensity | None = None,
    profile: CrackProfile | None = None,
) -> Scenario:
    """Compose the scenario: shares of full scale in one channel, the classes error-free and crack.

    A tile's class is that of its labels: crack if any pixel is.

    Parameters
    ----------
    tile
        Side of the tiles in px.
    probability
        Probability that a tile has a crack.
    scene, texture, profile
        Where the cracks run, what is around them, and the grey values across them; by default all built in.
    """
    return Scenario(
        name="cracks",
        steps=(
            scene or measured_cracks(tile, probability),
            texture or BrushedMetal(),
            profile or measured_profile(),
            Scratches(
                bundles=IntegerInterval(low=0, high=2),
                lines=IntegerInterval(low=1, high=3),
                length=LogInterval(low=8.0, high=120.0),
                width=LogInterval(low=0.4, high=0.9),
                contrast=Interval(low=0.01, high=0.06),
            ),
            SpecimenEdge(),
            Blur(sigma=Interval(low=0.0, high=0.5)),
            CameraRange(low=0.0, high=1.0),
        ),
        classes=CRACK_CLASSES,
        channels=(CHANNEL,),
    )


def fit_cracks(
    stacks: Sequence[xr.DataArray],
    labels: Sequence[xr.DataArray],
    *,
    tile: int = 128,
    probability: float = 0.5,
    rng: Generator | None = None,
) -> Scenario:
    """Learn the scenario from annotated images: cracks from those with some, the texture from those without.

    Parameters
    ----------
    stacks, labels
        Stacks (1, y, x) and their labels (y, x), class 1 a crack, of any sizes.
    tile, probability
        As of `cracks`.
    rng
        Random stream of the places where exemplars are cut.

    Raises
    ------
    InputError
        If no image has a crack, or none is free of them.
    """
    return cracks(
        scene=Cracks.fit(stacks, labels, tile=tile, probability=probability),
        texture=ExemplarTexture.fit(stacks, labels, rng=rng),
        profile=CrackProfile.fit(stacks, labels),
    )


def _measured(*quantiles: float) -> MeasuredInterval:
    return MeasuredInterval.model_validate(list(quantiles))
