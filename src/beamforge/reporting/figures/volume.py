"""Label volumes in three dimensions, and what their particles are like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import LightSource
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from numpy.typing import NDArray

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.reporting.style import FULL_WIDTH, new_figure, styled
from beamforge.stack import Classes

_ABOVE, _FROM = 28, -55
"""Where the volume is looked at from, in degrees."""
_BINS = 16


@styled
def volume_rendering(
    meshes: Mapping[int, tuple[Float32, NDArray[np.int32]]],
    shape: tuple[int, int, int],
    classes: Classes,
    *,
    voxel: float = 1.0,
    unit: str = "px",
) -> Figure:
    """Draw the surfaces of classes in the box of their volume.

    Parameters
    ----------
    meshes
        Corners (corner, 3) as z, y, x in px and triangles (triangle, 3), by class number.
    shape
        (z, y, x) of the volume in px.
    classes
        Names and colours.
    voxel, unit
        Side of a voxel and its unit.
    """
    figure = new_figure(FULL_WIDTH, 0.8 * FULL_WIDTH)
    axes = figure.add_subplot(projection="3d")
    light = LightSource(azdeg=225, altdeg=45)
    for number, (corners, triangles) in meshes.items():
        if len(triangles):
            places = corners[:, ::-1][triangles] * voxel
            colour = np.append(classes.rgb[number] / 255.0, 1.0)
            # Pictures with so many triangles are only handled as pixels.
            surface = Poly3DCollection(places, facecolors=colour, shade=True, lightsource=light, rasterized=True)
            axes.add_collection3d(surface)
    depth, rows, columns = (side * voxel for side in shape)
    axes.set(xlim=(0, columns), ylim=(0, rows), zlim=(0, depth))
    axes.set(xlabel=f"x ({unit})", ylabel=f"y ({unit})", zlabel=f"z ({unit})")
    axes.set_box_aspect((columns, rows, depth))
    axes.view_init(_ABOVE, _FROM)
    shown = [Patch(color=classes.colours[number], label=classes.names[number]) for number in meshes]
    figure.legend(handles=shown, loc="outside upper right", ncols=len(shown))
    return figure


@styled
def particle_distributions(sizes: Mapping[str, Sequence[float]], colours: Mapping[str, str], unit: str) -> Figure:
    """Draw how many particles there are of each diameter, and which share of their volume the smaller ones make.

    Parameters
    ----------
    sizes
        Equivalent diameters of the particles of each class.
    colours
        Of the classes.
    unit
        Of the diameters.

    Raises
    ------
    InputError
        If there is no particle.
    """
    values = {name: np.sort(np.asarray(found, dtype=np.float64)) for name, found in sizes.items() if len(found)}
    if not values:
        raise InputError("there is no particle whose size could be drawn")
    figure = new_figure(FULL_WIDTH, 2.8)
    left, right = figure.subplots(1, 2)
    low, high = min(v[0] for v in values.values()), max(v[-1] for v in values.values())
    edges = np.geomspace(low * 0.99, high * 1.01, _BINS + 1)
    for name, found in values.items():
        left.hist(found, bins=edges.tolist(), histtype="step", color=colours[name], label=name, linewidth=1.6)
        share = np.cumsum(found**3) / np.sum(found**3)
        right.step(found, share, where="post", color=colours[name], linewidth=1.6)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xlabel(f"equivalent diameter ({unit})")
    left.set_ylabel("particles")
    right.set_ylabel("share of the volume in smaller ones")
    left.legend()
    return figure
