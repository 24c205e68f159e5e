"""The holder and its cuvettes: how much of what lies in the beam at every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from beamforge.arrays import Float32
from beamforge.simulation.phantoms.infer_config import BACKGROUNDS, CONTROLS, InferPhantom, Layout
from beamforge.stack import IGNORE

# All in mm. Two plates with five openings each, joined by a steel bar; a cuvette stands on its opening's lower edge.
_PLATE_WIDTH, _PLATE_HEIGHT, _PLATE_DEPTH = 80.0, 38.0, 10.0
_OPENING_WIDTH, _OPENING_HEIGHT, _PITCH = 13.5, 32.0, 15.5
_ROW_CENTRES = (-24.0, 24.0)
_BAR_WIDTH, _BAR_HEIGHT, _BAR_DEPTH = 86.0, 9.0, 3.0
_CUVETTE_WIDTH, _CUVETTE_HEIGHT, _WALL, _PATH = 12.5, 30.0, 1.25, 2.0
_FILLING = 24.0
_MENISCUS_RISE, _MENISCUS_REACH = 1.0, 1.2

# Which cuvette stands in which of the ten openings, row by row: 0 is the empty one, 1 D2O, then come the suspensions.
# From one layout to the other none keeps its place or, beside or above, a neighbour.
_VACANT = -1
_PLACES: dict[Layout, tuple[int, ...]] = {
    "annotated": (4, 0, 7, 2, 5, 8, 3, _VACANT, 1, 6),
    "unseen": (1, 8, _VACANT, 6, 0, 4, 7, 5, 3, 2),
}


@dataclass(frozen=True)
class Holder:
    """What lies in the beam, (y, x) each, thicknesses in cm.

    Attributes
    ----------
    aluminium, steel, quartz, liquid
        Thickness along the beam.
    cuvette
        Number of the cuvette whose liquid this is: 1 D2O, then the suspensions; 0 where there is none.
    concentration
        Of the spheres, relative to the mean of their cuvette.
    labels
        Class numbers, 255 at edges and walls.
    """

    aluminium: Float32
    steel: Float32
    quartz: Float32
    liquid: Float32
    cuvette: NDArray[np.uint8]
    concentration: Float32
    labels: NDArray[np.uint8]


class _Drawing:
    """Maps in the making, with the coordinates of pixel centres in mm from the holder's centre."""

    def __init__(self, config: InferPhantom, offset: tuple[float, float], turn: float) -> None:
        self.pixel = config.field / config.size
        axis = (np.arange(config.size, dtype=np.float32) + 0.5) * self.pixel - config.field / 2.0
        y, x = (axis - offset[0])[:, None], (axis - offset[1])[None, :]
        self.y, self.x = _turned(y, x, turn)
        shape = (config.size, config.size)
        self.aluminium, self.steel, self.quartz, self.liquid = np.zeros((4, *shape), np.float32)
        self.cuvette = np.zeros(shape, np.uint8)
        self.concentration = np.ones(shape, np.float32)
        self.regions = np.zeros(shape, np.uint8)

    def box(self, y: Float32, x: Float32, height: float, width: float) -> Float32:
        """Covered fraction of each pixel by a centred rectangle."""
        inside_y = (0.5 + (height / 2.0 - np.abs(y)) / self.pixel).clip(0.0, 1.0)
        inside_x = (0.5 + (width / 2.0 - np.abs(x)) / self.pixel).clip(0.0, 1.0)
        return np.asarray(inside_y * inside_x, dtype=np.float32)


def _turned(y: Float32, x: Float32, degrees: float) -> tuple[Float32, Float32]:
    angle = np.deg2rad(np.float32(degrees))
    return np.cos(angle) * y - np.sin(angle) * x, np.sin(angle) * y + np.cos(angle) * x


def place_holder(config: InferPhantom, layout: Layout, rng: Generator) -> Holder:
    """Mount the holder and put the cuvettes in.

    Parameters
    ----------
    config
        The phantom.
    layout
        Which cuvette goes where.
    rng
        Decides how crooked everything stands: the holder within 1.5 mm and 0.3°, cuvettes within their openings,
        filling heights within 1.5 mm.
    """
    drawing = _Drawing(config, tuple(rng.uniform(-1.5, 1.5, 2)), rng.uniform(-0.3, 0.3))
    bar = drawing.box(drawing.y, drawing.x, _BAR_HEIGHT, _BAR_WIDTH)
    drawing.steel += bar * np.float32(_BAR_DEPTH / 10.0)
    drawing.regions[bar > 0.5] = BACKGROUNDS.index("steel bar")
    for row in _ROW_CENTRES:
        # The plates end where the bar begins.
        plate = drawing.box(drawing.y - row, drawing.x, _PLATE_HEIGHT, _PLATE_WIDTH) * (1.0 - bar)
        drawing.aluminium += plate * np.float32(_PLATE_DEPTH / 10.0)
        drawing.regions[plate > 0.5] = BACKGROUNDS.index("aluminium holder")
    for slot, content in enumerate(_PLACES[layout]):
        if content < len(CONTROLS) + len(config.suspensions):
            _fill_opening(drawing, config, slot, content, rng)
    return Holder(
        aluminium=drawing.aluminium,
        steel=drawing.steel,
        quartz=drawing.quartz,
        liquid=drawing.liquid,
        cuvette=drawing.cuvette,
        concentration=drawing.concentration,
        labels=_annotated(drawing.regions, config.label_margin),
    )


def _fill_opening(drawing: _Drawing, config: InferPhantom, slot: int, content: int, rng: Generator) -> None:
    """Cut an opening into its plate and stand a cuvette in it."""
    row, column = divmod(slot, 5)
    y = drawing.y - np.float32(_ROW_CENTRES[row])
    x = drawing.x - np.float32((column - 2) * _PITCH)
    opening = drawing.box(y, x, _OPENING_HEIGHT, _OPENING_WIDTH)
    drawing.aluminium *= 1.0 - opening
    drawing.regions[opening > 0.5] = BACKGROUNDS.index("open beam")
    if content == _VACANT:
        return
    slack = (_OPENING_WIDTH - _CUVETTE_WIDTH) / 2.0
    sideways, turn = rng.uniform(-0.6, 0.6) * slack, rng.uniform(-0.6, 0.6)
    standing = (_OPENING_HEIGHT - _CUVETTE_HEIGHT) / 2.0
    y, x = _turned(y - np.float32(standing), x - np.float32(sideways), turn)
    outer = drawing.box(y, x, _CUVETTE_HEIGHT, _CUVETTE_WIDTH)
    # The cavity is open at the top: its box reaches from the base's upper side to the rim.
    cavity = drawing.box(y + np.float32(_WALL / 2.0), x, _CUVETTE_HEIGHT - _WALL, _CUVETTE_WIDTH - 2.0 * _WALL)
    depth = _PATH + 2.0 * _WALL
    drawing.quartz += (outer * np.float32(depth) - cavity * np.float32(_PATH)) / np.float32(10.0)
    drawing.regions[outer > 0.0] = IGNORE
    if content == CONTROLS.index("empty cuvette"):
        drawing.regions[cavity > 0.5] = len(BACKGROUNDS)
        return
    height = np.float32(_CUVETTE_HEIGHT / 2.0 - _WALL) - y
    filling = np.float32(_FILLING + rng.uniform(-1.5, 1.5))
    from_wall = np.float32(_CUVETTE_WIDTH / 2.0 - _WALL) - np.abs(x)
    level = filling + np.float32(_MENISCUS_RISE) * np.exp(-from_wall.clip(0.0) / np.float32(_MENISCUS_REACH))
    wet = cavity * (0.5 + (level - height) / np.float32(drawing.pixel)).clip(0.0, 1.0)
    drawing.liquid += wet * np.float32(_PATH / 10.0)
    drawing.cuvette[wet > 0.0] = content
    if content == len(CONTROLS) + len(config.suspensions) - 1:
        relative = (2.0 * height / filling - 1.0).clip(-1.0, 1.0)
        drawing.concentration = np.where(wet > 0.0, 1.0 + np.float32(config.creaming) * relative, drawing.concentration)
    below = height < filling
    drawing.regions[(wet > 0.99) & below] = len(BACKGROUNDS) + content


def _annotated(regions: NDArray[np.uint8], margin: int) -> NDArray[np.uint8]:
    """Leave out what lies within `margin` px of an edge, as a person who draws regions does."""
    size = 2 * margin + 1
    edge = minimum_filter(regions, size, mode="nearest") != maximum_filter(regions, size, mode="nearest")
    return np.where(edge, np.uint8(IGNORE), regions)
