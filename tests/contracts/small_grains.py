"""A scenario of small micrographs of grains whose difficulty varies, quick to simulate."""

from __future__ import annotations

from beamforge.simulation import Interval, LogInterval, Scenario
from beamforge.simulation.intensities.grain_greylevels import GrainGreylevels
from beamforge.simulation.scenes.voronoi_grains import VoronoiGrains
from beamforge.stack import Channel, Classes


def small_grains(tile: int = 32) -> Scenario:
    return Scenario(
        name="small grains",
        steps=(
            VoronoiGrains(tile=tile, diameter=LogInterval(low=10, high=20), thickness=Interval(low=3, high=3)),
            GrainGreylevels(noise=Interval(low=1, high=60)),
        ),
        classes=Classes(names=("grain", "boundary")),
        channels=(Channel(mode="grey level"),),
    )
