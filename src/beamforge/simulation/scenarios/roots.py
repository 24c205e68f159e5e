"""Neutron radiographs of roots in a rhizobox, from physics and a model of growth alone; no measurement is needed."""

from __future__ import annotations

from beamforge.simulation.degradations.blur import Blur
from beamforge.simulation.degradations.box_hardware import BoxHardware
from beamforge.simulation.degradations.drift import Drift
from beamforge.simulation.degradations.grey_window import GreyWindow
from beamforge.simulation.degradations.transmission_noise import TransmissionNoise
from beamforge.simulation.intensities.rhizobox import Rhizobox
from beamforge.simulation.scenario import Scenario
from beamforge.simulation.scenes.roots import Roots
from beamforge.simulation.scenes.soil_cracks import SoilCracks
from beamforge.stack import Channel, Classes

ROOT_CLASSES = Classes(names=("background", "main root", "lateral root"), colours=("#d9d2c5", "#b8420f", "#3b7f6f"))


def roots(tile: int = 256, pixel_size: tuple[float, float] = (0.12, 0.28), annotation: float = 1.5) -> Scenario:
    """Make the scenario: grey levels 0 to 255 of one channel, three classes.

    Parameters
    ----------
    tile
        Side of the images in px.
    pixel_size
        Least and largest side of a pixel in mm.
    annotation
        How many px beyond its surface a person paints a root.
    """
    return Scenario(
        name="roots",
        steps=(
            Roots(tile=tile, pixel_size=pixel_size, annotation=annotation),
            SoilCracks(),
            Rhizobox(),
            BoxHardware(),
            Drift(multiplicative=(0.0, 0.04), length=(40.0, 200.0)),
            Blur(sigma=(0.2, 0.9)),
            TransmissionNoise(),
            GreyWindow(),
        ),
        classes=ROOT_CLASSES,
        channels=(Channel(mode="grey level"),),
    )
