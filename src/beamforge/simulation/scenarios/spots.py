"""White spots on radiographs: what the spot network is trained on."""

from __future__ import annotations

from beamforge.physics.gamma_spots import GammaSpots
from beamforge.simulation.degradations.blur import Blur
from beamforge.simulation.degradations.local_contrast import LocalContrast
from beamforge.simulation.degradations.marked_spots import MarkedSpots
from beamforge.simulation.intensities.radiograph import Radiograph
from beamforge.simulation.interval import Interval, LogInterval
from beamforge.simulation.scenario import Scenario
from beamforge.simulation.scenes.blank import Blank
from beamforge.stack import Channel, Classes

CLASSES = Classes(names=("clean", "spot"), colours=("#9498a0", "#ff725c"))
CHANNEL = Channel(mode="local contrast")


def hand_marks() -> MarkedSpots:
    """Describe spots as a person marked them on a radiograph of the ICON beamline (PSI).

    From which contrast on spots were marked, and how far beside, is what `MarkedSpots.fit` measures on an annotated
    part of the lecture's radiograph other than its test crop, the one nearest to it in scale. The size of the spots was
    matched to that part and another: to the share of pixels marked at each contrast.
    """
    slip, widen = Interval(low=0.21, high=0.21), Interval(low=0.85, high=0.85)
    seconds, spots = LogInterval(low=1.0, high=15.0), GammaSpots(size_99=10.0)
    return MarkedSpots(seconds=seconds, visible=5.0, slip=slip, widen=widen, spots=spots)


def spot_scenario(tile: int = 96, marks: MarkedSpots | None = None, blur: tuple[float, float] = (0.1, 0.6)) -> Scenario:
    """Compose raw radiographs with marked white spots, seen as local contrast.

    Parameters
    ----------
    tile
        Side of the tiles in px.
    marks
        The spots and how they are marked; by default exactly.
    blur
        Interval of the standard deviation in px of a blur after the spots, as resampling makes it.
    """
    steps = (
        Blank(tile=tile),
        Radiograph(),
        marks or MarkedSpots(),
        Blur(sigma=Interval(low=blur[0], high=blur[1])),
        LocalContrast(),
    )
    return Scenario(name="spots", steps=steps, classes=CLASSES, channels=(CHANNEL,))
