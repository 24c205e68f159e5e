"""X-ray microscopy of a micropillar of an aluminium alloy, from physics alone; no measurement is needed."""

from __future__ import annotations

from beamforge.simulation.intensities.tomogram import Tomogram
from beamforge.simulation.scenario import Scenario
from beamforge.simulation.scenes.micropillar import Micropillar
from beamforge.stack import Channel, Classes

PILLAR_CLASSES = Classes(names=("background", "precipitate", "inclusion"), colours=("#c9c4ba", "#d1495b", "#2e6f95"))


def micropillar(tile: int = 192, angles: int = 180) -> Scenario:
    """Make the scenario: single slices in 1/cm, three classes.

    Parameters
    ----------
    tile
        Side of the slices in px.
    angles
        Projections of each reconstruction.
    """
    tomogram = Tomogram(angles=angles)
    return Scenario(
        name="micropillar",
        steps=(Micropillar(tile=tile, depth=2 * tomogram.margin + 1), tomogram),
        classes=PILLAR_CLASSES,
        channels=(Channel(mode="attenuation"),),
    )
